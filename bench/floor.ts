// What ECR's API costs whoever calls it: a layer's SHA-256, each part in base64, and that one's SHA-256 for the signature.

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { maxEcrPartBytes } from '../api/limits.ts';
import { measured } from './measured.ts';

async function digest(path: string): Promise<void> {
  const layer = createHash('sha256');
  const part = Buffer.allocUnsafeSlow(maxEcrPartBytes);
  const file = await open(path);
  for (;;) {
    const { bytesRead } = await file.read(part);
    if (bytesRead === 0) {
      break;
    }
    const bytes = part.subarray(0, bytesRead);
    layer.update(bytes);
    createHash('sha256').update(bytes.toString('base64')).digest();
  }
  await file.close();
  layer.digest();
}

await measured(async () => {
  for (const path of process.argv.slice(2)) {
    await digest(path);
  }
});

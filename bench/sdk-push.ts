// What somebody writes who pushes to ECR with the AWS SDK for JavaScript: one part is read and hashed while another is sent.

import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import {
  CompleteLayerUploadCommand,
  ECRClient,
  InitiateLayerUploadCommand,
  UploadLayerPartCommand,
} from '@aws-sdk/client-ecr';
import { measured } from './measured.ts';

const [endpoint = '', repositoryName = '', ...paths] = process.argv.slice(2);
const client = new ECRClient({
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'nobody', secretAccessKey: 'nobody' },
});

async function pushLayer(file: FileHandle): Promise<void> {
  const { uploadId, partSize = 0 } = await client.send(new InitiateLayerUploadCommand({ repositoryName }));
  const hash = createHash('sha256');
  let sending: Promise<unknown> = Promise.resolve();
  for (let partFirstByte = 0; ; partFirstByte += partSize) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(partSize), 0, partSize);
    if (bytesRead === 0) {
      break;
    }
    const layerPartBlob = buffer.subarray(0, bytesRead);
    hash.update(layerPartBlob);
    await sending;
    const partLastByte = partFirstByte + bytesRead - 1;
    sending = client.send(
      new UploadLayerPartCommand({ repositoryName, uploadId, partFirstByte, partLastByte, layerPartBlob }),
    );
  }
  await sending;
  const layerDigests = [`sha256:${hash.digest('hex')}`];
  await client.send(new CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests }));
}

await measured(async () => {
  for (const path of paths) {
    const file = await open(path);
    await pushLayer(file);
    await file.close();
  }
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocal } from '../../local/local.ts';
import { describeDoor1 } from './door-1-suite.ts';

describeDoor1('through the local gateway and the bundles', 'ecr', async () => {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'gateway-'));
  const local = await startLocal({ port: 0, ecrPort: 0, s3Port: 0, dataDirectory });
  if (!local.ecrUrl) throw new Error('the ECR stand-in did not start');
  return {
    send: (path, init) => fetch(`${local.proxyUrl}${path}`, init),
    ecrUrl: local.ecrUrl,
    close: async () => {
      await local.close();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
});

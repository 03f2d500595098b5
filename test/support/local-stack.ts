// The local stack for a test: on free ports, over the ECR stand-in, its data gone when it closes.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalOptions, startLocal } from '../../local/local.ts';
import { faultsOf, gatewayFaultsOf } from './faults.ts';
import type { Send } from './resource-api.ts';

/** @param options with `registryPort`, the registry endpoint is served as well */
export async function startLocalStack(
  options: Pick<LocalOptions, 'cdkOut' | 'issuers' | 'registryPort'> = {},
) {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'local-stack-'));
  const local = await startLocal({ port: 0, ecrPort: 0, s3Port: 0, dataDirectory, ...options });
  const { ecrUrl, proxyUrl, registryUrl } = local;
  if (ecrUrl === undefined) {
    throw new Error('the ECR stand-in did not start');
  }
  const send: Send = (path, init) => fetch(`${proxyUrl}${path}`, init);
  return {
    proxyUrl,
    ecrUrl,
    registryUrl,
    ...faultsOf(ecrUrl),
    ...gatewayFaultsOf(proxyUrl),
    dataDirectory,
    send,
    close: async () => {
      await local.close();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}

export type LocalStack = Awaited<ReturnType<typeof startLocalStack>>;

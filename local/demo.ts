// `npm run demo`: the proxy on this machine, a real image through it and its registry endpoint and back, and whether
// all are the same.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runDemo } from './demo/run.ts';
import { newSeed } from './demo/seeded-bytes.ts';
import { type Local, startLocal } from './local.ts';
import { localTokens } from './services/secrets.ts';

const destination = {
  token: localTokens['team-a-ci'],
  repositoryName: 'team-a/app',
  registryRepositoryName: 'team-a/big',
  imageTag: 'demo',
};

/** What a shell expects of a program that ends on a signal: 128 and the signal's number. */
const exitStatusOf = { SIGINT: 130, SIGTERM: 143 } as const;

/** How long an interrupted demo may take to stop what it was doing; a synthesis may take longer. */
const patienceMs = 3_000;

/** Ends the demo; a second one finds no listener and ends the process without cleaning up. */
const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => interruption.abort(exitStatusOf[name]));
}

/** @returns the exit status: 0 when the image came back the same, 1 when it did not */
async function demo(directory: string, keep: (local: Local) => void): Promise<number> {
  console.log(
    'Synthesizing the stack and starting the proxy, its registry endpoint, ECR and S3 stand-ins (some seconds) …',
  );
  const dataDirectory = join(directory, 'data');
  const local = await startLocal({ port: 0, ecrPort: 0, s3Port: 0, registryPort: 0, dataDirectory });
  keep(local);
  const { signal } = interruption;
  signal.throwIfAborted();
  if (local.ecrUrl === undefined || local.registryUrl === undefined) {
    throw new Error('the ECR stand-in or the registry endpoint did not start');
  }
  const differences = await runDemo({
    ...destination,
    proxyUrl: local.proxyUrl,
    registryUrl: local.registryUrl,
    ecrUrl: local.ecrUrl,
    seed: process.env.DEMO_SEED ?? newSeed(),
    directory: join(directory, 'image'),
    bars: process.stdout.isTTY === true,
    print: (line) => console.log(line),
    signal,
  });
  for (const difference of differences) {
    console.error(`✗ ${difference}`);
  }
  if (differences.length === 0) {
    console.log('✓ Every digest and every size is the same.');
  }
  return differences.length === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'ecr-upload-proxy-demo-'));
  const { signal } = interruption;
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
  let local: Local | undefined;
  const work = demo(directory, (started) => {
    local = started;
  });
  try {
    return await Promise.race([work, interrupted]);
  } catch (error) {
    if (signal.aborted) {
      return Number(signal.reason);
    }
    console.error(`✗ ${error instanceof Error ? error.message : error}`);
    return 1;
  } finally {
    // What still writes would bring the directory back.
    await Promise.race([Promise.allSettled([work]), sleep(patienceMs)]);
    await local?.close();
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

// Not left to the event loop: an interrupted start may still hold it.
process.exit(await main());

// Keeps a registry endpoint running: when its process ends by itself another one begins, as Amazon ECS starts a task.

import { setTimeout as sleep } from 'node:timers/promises';
import { type RegistryOptions, startRegistry } from './registry.ts';

const pauseMs = 1_000;

/**
 * @param log takes why one has ended, and why one could not be started
 * @throws Error with what the process printed, if the first does not start
 */
export async function keepRegistry(options: RegistryOptions, log: (line: string) => void) {
  let current = await startRegistry(options);
  const { url } = current;
  const port = Number(new URL(url).port);
  const closing = new AbortController();
  const { signal } = closing;

  const startAgain = async () => {
    while (!signal.aborted) {
      try {
        current = await startRegistry({ ...options, port });
        return;
      } catch (error) {
        log(error instanceof Error ? error.message : String(error));
        await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      }
    }
  };
  const keep = async () => {
    while (!signal.aborted) {
      const how = await current.ended;
      if (!signal.aborted) {
        log(`The registry endpoint ended by ${how}, and is started again.`);
        await startAgain();
      }
    }
  };

  const kept = keep();
  const close = async () => {
    closing.abort();
    await current.close();
    await kept;
    await current.close();
  };
  return { url, processId: () => current.processId, close };
}

// Invokes an instance in a process of its own, and tells what each event cost it.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { InProcess } from './in-process.ts';
import type { Invocation, Measured } from './measured-instance.ts';

const measured = z.object({
  cpuMs: z.number(),
  idleMiB: z.number(),
  peakMiB: z.number(),
  log: z.string(),
  status: z.int(),
  answer: z.string(),
}) satisfies z.ZodType<Measured>;

/** @param proxy whose stand-ins the instance uses; they work in the process that calls this */
export function startMeasured({ environment }: Pick<InProcess, 'environment'>) {
  const directory = mkdtempSync(join(tmpdir(), 'measured-'));
  const file = join(directory, 'event.json');
  const instance = fork(join(import.meta.dirname, 'measured-instance.ts'), [JSON.stringify(environment)], {
    execArgv: ['--expose-gc'],
    env: { ...process.env, POWERTOOLS_LOG_LEVEL: 'INFO' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const errors: string[] = [];
  instance.stderr?.on('data', (chunk) => errors.push(String(chunk)));
  const ended = once(instance, 'exit').then(([code]) => {
    throw new Error(`the instance ended with ${code}: ${errors.slice(-5).join('')}`);
  });
  // It is expected to end at last.
  ended.catch(() => {});
  return {
    /**
     * @param functionName an operation, or `aws-api`
     * @param event API Gateway's, as JSON
     */
    invoke: async (functionName: string, event: string): Promise<Measured> => {
      writeFileSync(file, event);
      const answered = once(instance, 'message');
      instance.send({ functionName, file } satisfies Invocation);
      const [answer] = await Promise.race([answered, ended]);
      return measured.parse(answer);
    },
    close: async () => {
      instance.disconnect();
      if (instance.exitCode === null) {
        await once(instance, 'exit');
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

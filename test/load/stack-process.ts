// `npm start` in processes of its own, so that its memory and its time are measured apart from its clients'.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '../..');

/** @throws Error with what it printed, if it ends before it serves */
export async function startStackProcess() {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'load-'));
  const stack = spawn(process.execPath, ['local/start.ts'], {
    cwd: root,
    env: {
      ...process.env,
      PORT: '0',
      ECR_PORT: '0',
      S3_PORT: '0',
      REGISTRY_PORT: '0',
      LOCAL_DATA: dataDirectory,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed: string[] = [];
  const urls = new Map<string, string>();
  const serving = Promise.withResolvers<void>();
  for (const output of [stack.stdout, stack.stderr]) {
    createInterface({ input: output }).on('line', (line) => {
      printed.splice(0, printed.length - 50);
      printed.push(line);
      const { name, url } = /^(?<name>Proxy|ECR|Registry) +(?<url>http:[^, ]+)/.exec(line)?.groups ?? {};
      if (name !== undefined && url !== undefined) {
        urls.set(name, url);
      }
      if (urls.size === 3) {
        serving.resolve();
      }
    });
  }
  stack.once('exit', (status) =>
    serving.reject(new Error(`npm start ended with ${status}:\n${printed.join('\n')}`)),
  );
  await serving.promise;
  const urlOf = (name: string) => urls.get(name) ?? '';
  const { pid = 0 } = stack;
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return {
    urls: { 'gateway and functions': urlOf('Proxy'), 'registry endpoint': urlOf('Registry') },
    ecrUrl: urlOf('ECR'),
    /** The registry endpoint is the local stack's only child. */
    processIds: {
      'gateway and functions': pid,
      'registry endpoint': Number(children.trim().split(' ').at(-1)),
    },
    close: async () => {
      if (stack.exitCode === null) {
        const ended = once(stack, 'exit');
        stack.kill();
        await ended;
      }
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}

export type StackProcess = Awaited<ReturnType<typeof startStackProcess>>;

// The registry endpoint on this machine: the process of its container, from the bundle that the image would hold.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { loopback } from '../address.ts';
import { appendTo } from '../log-file.ts';
import type { Container } from './container.ts';

export type RegistryOptions = {
  /** 0 takes any free one. */
  port: number;
  container: Container;
  /** Added to what the template sets: addresses, credentials and the region. */
  environment: Readonly<Record<string, string>>;
  /** Takes what the endpoint prints. */
  logFile: string;
};

/** Its own files are what it reads, and no profile of this shell's. */
const inherited = ({ PATH, HOME }: NodeJS.ProcessEnv) => ({ PATH, HOME });

/** There is no load balancer whose word for the client's address could be taken, and no Amazon ECS to ask. */
const unhosted = { BEHIND_LOAD_BALANCER: 'false', TASK_PROTECTION: 'false' };

const endsWithParent = pathToFileURL(join(import.meta.dirname, 'ends-with-parent.ts')).href;

/** @throws Error with what the process printed, if it does not start */
export async function startRegistry({ port, container, environment, logFile }: RegistryOptions) {
  const child = spawn(process.execPath, ['--import', endsWithParent, ...container.args], {
    cwd: container.directory,
    env: {
      ...inherited(process.env),
      ...container.environment,
      ...environment,
      ...unhosted,
      HOST: loopback,
      PORT: String(port),
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const ended = once(child, 'exit').then(() => child.signalCode ?? `status ${child.exitCode}`);
  const url = await urlOf(child, logFile);
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await ended;
  };
  return { url, processId: child.pid, ended, end, close: () => end('SIGTERM') };
}

async function urlOf(child: ChildProcess, logFile: string): Promise<string> {
  const printed: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  for (const output of [child.stdout, child.stderr]) {
    const lines = output && createInterface({ input: output });
    lines?.on('line', (line) => {
      appendTo(logFile, `${line}\n`);
      printed.splice(0, printed.length - 19);
      printed.push(line);
      const url = /^Registry endpoint (?<url>http\S+)$/.exec(line)?.groups?.url;
      if (url !== undefined) {
        resolve(url);
      }
    });
  }
  child.once('exit', (status) => {
    reject(new Error(`the registry endpoint ended with ${status}:\n${printed.join('\n')}`));
  });
  return promise;
}

// The whole way of a container tool's push: the bridge as it is started by hand, the proxy, the ECR stand-in.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEcr } from '../../local/ecr/server.ts';
import { startLocal } from '../../local/local.ts';
import { tokens } from './resource-api.ts';

const root = join(import.meta.dirname, '../..');
const commandLine = join(root, 'dist/cli.js');

export type Bridge = {
  /** host:port, as it stands in an image's name. */
  host: string;
  url: string;
  process: ChildProcess;
  /** A line for each request so far. */
  log: readonly string[];
  stop(signal?: NodeJS.Signals): Promise<void>;
};

/**
 * Its token is lent to every user of this machine, if no flag says otherwise; without one each client brings its own.
 * @param flags beside the endpoint; with a port of 0 any free one is taken
 */
export async function startBridge(
  endpoint: string,
  { port = 0, token = tokens.a, flags = [] }: { port?: number; token?: string; flags?: string[] } = {},
): Promise<Bridge> {
  const lending = token === '' || flags.includes('--password-file') ? [] : ['--lend-token'];
  const child = spawn(
    process.execPath,
    [commandLine, 'bridge', '--endpoint', endpoint, '--port', String(port), ...lending, ...flags],
    { env: { ...process.env, ECR_UPLOAD_PROXY_TOKEN: token }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => [''])]);
  const log: string[] = [];
  lines.on('line', (request) => log.push(request));
  const url = /^Registry +(\S+)$/.exec(String(line))?.[1];
  if (url === undefined) {
    throw new Error(`the bridge did not start: ${line}`);
  }
  return {
    host: new URL(url).host,
    url,
    process: child,
    log,
    stop: async (signal = 'SIGTERM') => {
      if (child.exitCode !== null || child.signalCode !== null) {
        return;
      }
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    },
  };
}

/** ECR with these private repositories, and the proxy before it, where wished with its registry endpoint. */
export async function startProxy(
  dataDirectory: string,
  repositoryNames: readonly string[],
  { withRegistry = false }: { withRegistry?: boolean } = {},
) {
  const ecrOptions = {
    dataDirectory: join(dataDirectory, 'ecr'),
    repositories: repositoryNames.map((repositoryName) => ({ registry: 'ecr' as const, repositoryName })),
  };
  let ecr = await startEcr({ ...ecrOptions, port: 0 });
  const { port: ecrPort } = ecr;
  const options = {
    ecrPort: 0,
    s3Port: 0,
    dataDirectory,
    ecrEndpoint: ecr.url,
    ...(withRegistry && { registryPort: 0 }),
  };
  let local = await startLocal({ ...options, port: 0 });
  const ports = {
    port: Number(new URL(local.proxyUrl).port),
    ...(local.registryUrl !== undefined && { registryPort: Number(new URL(local.registryUrl).port) }),
  };
  return {
    proxyUrl: local.proxyUrl,
    ecrUrl: ecr.url,
    /** @throws Error where none was asked for */
    registry: () => {
      const { registryUrl: url } = local;
      if (url === undefined) {
        throw new Error('the proxy was started without its registry endpoint');
      }
      return { url, processId: local.registryProcessId() };
    },
    /** The gateway with the registry endpoint, or ECR, is gone for a while and comes back at its port. */
    restartGateway: async (pauseMs: number) => {
      await local.close();
      await sleep(pauseMs);
      local = await startLocal({ ...options, ...ports });
    },
    restartEcr: async (pauseMs: number) => {
      await ecr.close();
      await sleep(pauseMs);
      ecr = await startEcr({ ...ecrOptions, port: ecrPort });
    },
    close: async () => {
      await local.close();
      await ecr.close();
    },
  };
}

export type RegistryProxy = Awaited<ReturnType<typeof startProxy>>;

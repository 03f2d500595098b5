// Docker's own engine pushes to the registry endpoint and through the bridge, and pulls back; with its containerd store too.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RegistryProxy, startProxy } from '../../support/bridge.ts';
import { pull } from '../../support/pulled.ts';
import { randomBytes } from '../../support/random-bytes.ts';
import { tokens } from '../../support/resource-api.ts';
import { frontNames, fronts } from './fronts.ts';
import { findTool, runTool } from './tools.ts';

const run = promisify(execFile);

/** Where images are kept: since version 24 in containerd's store as well, which pushes by containerd's code. */
const stores = ['classic', 'containerd'] as const;
type Store = (typeof stores)[number];
const daemon = findTool('dockerd');
const major = daemon ? Number(/version (\d+)/.exec((await run(daemon, ['--version'])).stdout)?.[1]) : 0;

/** Why its tests are left out here; CI leaves them out as well, where it is no machine of docker's. */
function lacking(store: Store): string | undefined {
  if (process.getuid?.() !== 0) {
    return "docker's engine needs root";
  }
  if (!daemon || !findTool('docker')) {
    return 'docker and dockerd are not installed';
  }
  return store === 'containerd' && major < 24 ? `dockerd ${major} has no containerd store` : undefined;
}

let directory: string;
let proxy: RegistryProxy;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'docker-'));
  const names = stores.flatMap((store) => frontNames.map((front) => `team-a/${store}/${front}`));
  proxy = await startProxy(join(directory, 'data'), names, { withRegistry: true });
});
afterAll(async () => {
  await proxy?.close();
  await rm(directory, { recursive: true, force: true });
});

/** An engine of its own, without a network, which keeps everything below `folder`. */
async function startEngine(store: Store, folder: string): Promise<{ process: ChildProcess; url: string }> {
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'daemon.json'),
    JSON.stringify({ features: { 'containerd-snapshotter': store === 'containerd' } }),
  );
  const url = `unix://${join(folder, 'socket')}`;
  const child = spawn(
    String(daemon),
    [
      ...['--config-file', join(folder, 'daemon.json'), '--pidfile', join(folder, 'pid')],
      ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '--host', url],
      ...['--iptables=false', '--ip6tables=false', '--bridge=none'],
      ...(store === 'classic' ? ['--storage-driver=vfs'] : []),
    ],
    { stdio: 'ignore' },
  );
  return { process: child, url };
}

describe.each(stores)('docker with its %s store', (store) => {
  const reason = lacking(store);
  let engine: Awaited<ReturnType<typeof startEngine>>;
  let home: string;
  const docker = (...args: string[]) => runTool('docker', ['--host', engine.url, ...args], { home });

  beforeAll(async () => {
    home = join(directory, store);
    if (reason === undefined) {
      engine = await startEngine(store, home);
      // It answers when it has begun.
      while (!(await docker('version').catch(() => undefined))) {
        if (engine.process.exitCode !== null) {
          throw new Error(`dockerd ended with ${engine.process.exitCode}`);
        }
        await sleep(200);
      }
    }
  });
  afterAll(async () => {
    if (engine && engine.process.exitCode === null) {
      const ended = once(engine.process, 'exit');
      engine.process.kill();
      await ended;
    }
  });

  it.for(frontNames)('logs in to the %s, pushes, pushes again and pulls', async (frontName, { skip }) => {
    if (reason !== undefined) {
      skip(reason);
    }
    const front = await fronts[frontName](proxy, tokens.a);
    try {
      const repositoryName = `team-a/${store}/${frontName}`;
      const image = `${front.host}/${repositoryName}:1.0`;
      // 24 MiB: more than one part.
      await writeFile(join(home, 'file'), randomBytes(24 * 1_048_576));
      await run('tar', ['--create', '--file', join(home, 'root.tar'), '--directory', home, 'file']);
      await docker('import', join(home, 'root.tar'), image);
      if (frontName === 'endpoint') {
        const login = (password: string) => docker('login', front.host, '-u', 'any', '-p', password);
        await expect(login('eup_team-a-ci_wrong')).rejects.toThrow(/401/);
        await login(tokens.a);
      }
      await docker('push', image);
      const { digest } = await pull(proxy.ecrUrl, repositoryName, '1.0');
      expect(await docker('push', image)).toMatch(/already exists/i);
      await docker('rmi', '--force', image);
      await docker('pull', image);
      expect(await docker('image', 'inspect', '--format', '{{json .RepoDigests}}', image)).toContain(digest);
    } finally {
      await front.stop();
    }
  });

  it('shows what the policy says', async ({ skip }) => {
    if (reason !== undefined) {
      skip(reason);
    }
    const { host } = await fronts.endpoint(proxy, tokens.a);
    const image = `${host}/team-b/app:1.0`;
    await docker('import', join(home, 'root.tar'), image);
    await docker('login', host, '-u', 'any', '-p', tokens.a);
    await expect(docker('push', image)).rejects.toThrow(/denied: No policy lets this client/);
  });
});

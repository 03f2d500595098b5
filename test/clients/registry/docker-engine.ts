// Docker's own engine, one for a test: without a network, and with everything that it keeps in one folder.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findTool, runTool } from './tools.ts';

/** Where images are kept: since version 24 in containerd's store as well, which pushes by containerd's code. */
export const stores = ['classic', 'containerd'] as const;
export type Store = (typeof stores)[number];

const daemon = findTool('dockerd');
const major = daemon
  ? Number(/version (\d+)/.exec((await promisify(execFile)(daemon, ['--version'])).stdout)?.[1])
  : 0;

/** Why its tests are left out here; CI leaves them out as well, where it is no machine of docker's. */
export function engineLacking(store: Store): string | undefined {
  if (process.getuid?.() !== 0) {
    return "docker's engine needs root";
  }
  if (!daemon || !findTool('docker')) {
    return 'docker and dockerd are not installed';
  }
  return store === 'containerd' && major < 24 ? `dockerd ${major} has no containerd store` : undefined;
}

export type Engine = { url: string; stop: () => Promise<void> };

/** @param folder is its home, too */
export async function startEngine(store: Store, folder: string): Promise<Engine> {
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
  // It answers when it has begun.
  while (!(await runTool('docker', ['--host', url, 'version'], { home: folder }).catch(() => undefined))) {
    if (child.exitCode !== null) {
      throw new Error(`dockerd ended with ${child.exitCode}`);
    }
    await sleep(200);
  }
  return {
    url,
    stop: async () => {
      if (child.exitCode === null) {
        const ended = once(child, 'exit');
        child.kill();
        await ended;
      }
    },
  };
}

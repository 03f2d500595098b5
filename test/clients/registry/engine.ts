// Docker's engines: this machine's and those that test/clients/install unpacks, each with one of the stores of images.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findProgram, type Release, releases, runTool, unpackedIn } from './tools.ts';

export type Engine = {
  /** Short: its sockets are below a folder of that name. */
  name: string;
  /** Where images are kept: since version 24 in containerd's store as well, which pushes by containerd's code. */
  store: 'classic' | 'containerd';
  /** Debian's release that it is of; this machine's own has none. */
  release?: Release;
};

export const engines: readonly Engine[] = [
  { name: 'classic', store: 'classic' },
  { name: 'own', store: 'containerd' },
  ...releases.map((release) => ({ name: release, store: 'containerd' as const, release })),
];

/** Its version, or why its tests are left out: in CI as well, where it is no machine of docker's. */
export async function probe({ store, release }: Engine): Promise<{ version: string } | { reason: string }> {
  if (process.getuid?.() !== 0) {
    return { reason: "docker's engine needs root" };
  }
  const [daemon, client] = [findProgram('dockerd', release), findProgram('docker', release)];
  if ('reason' in daemon) {
    return daemon;
  }
  if ('reason' in client) {
    return client;
  }
  const { stdout } = await promisify(execFile)(daemon.path, ['--version']);
  const version = /version (\d+)/.exec(stdout)?.[1] ?? '0';
  return store === 'containerd' && Number(version) < 24
    ? { reason: `dockerd ${version} has no containerd store` }
    : { version };
}

/** docker's command line, at this engine. @throws Error with what it printed on standard error */
export type Docker = (...args: string[]) => Promise<string>;

/** Starts an engine of its own, without a network, which keeps everything below `home`. */
export async function startEngine({ store, release }: Engine, home: string) {
  const [daemon, client] = [findProgram('dockerd', release), findProgram('docker', release)];
  if ('reason' in daemon || 'reason' in client) {
    throw new Error('docker is not installed');
  }
  await mkdir(join(home, '.docker/cli-plugins'), { recursive: true });
  const buildx = findProgram('docker-buildx', release);
  if ('path' in buildx) {
    await symlink(buildx.path, join(home, '.docker/cli-plugins/docker-buildx'));
  }
  const configuration = { features: { 'containerd-snapshotter': store === 'containerd' } };
  await writeFile(join(home, 'daemon.json'), JSON.stringify(configuration));
  const url = `unix://${join(home, 'socket')}`;
  const child = spawn(
    daemon.path,
    [
      ...['--config-file', join(home, 'daemon.json'), '--pidfile', join(home, 'pid')],
      ...['--data-root', join(home, 'data'), '--exec-root', join(home, 'exec'), '--host', url],
      ...['--iptables=false', '--ip6tables=false', '--bridge=none'],
      // Plain directories: overlays cannot be mounted everywhere.
      `--storage-driver=${store === 'classic' ? 'vfs' : 'native'}`,
    ],
    { stdio: 'ignore', env: { ...process.env, PATH: pathFor(release) } },
  );
  const docker: Docker = (...args) => runTool(client.path, ['--host', url, ...args], { home });
  // It answers when it has begun.
  while (!(await docker('version').catch(() => undefined))) {
    if (child.exitCode !== null) {
      throw new Error(`dockerd ended with ${child.exitCode}`);
    }
    await sleep(200);
  }
  return {
    url,
    docker,
    hasBuildx: 'path' in buildx,
    stop: async () => {
      if (child.exitCode === null) {
        const ended = once(child, 'exit');
        child.kill();
        await ended;
      }
    },
  };
}

/** An engine starts the containerd that it finds. */
const pathFor = (release: Release | undefined): string =>
  [...(release ? unpackedIn(release) : []), process.env.PATH].join(delimiter);

// containerd's own command line, ctr, uploads to the registry endpoint and through the bridge, and pulls back.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RegistryProxy, startProxy } from '../../support/bridge.ts';
import { buildLayouts, type Layouts } from '../../support/oci-layout.ts';
import { pull } from '../../support/pulled.ts';
import { tokens } from '../../support/resource-api.ts';
import { frontNames, fronts, pushesAllKinds } from './fronts.ts';
import { expectShown, shownRepository } from './shown.ts';
import { kinds } from './tool-table.ts';
import { findProgram, type Release, releases, runTool } from './tools.ts';

const run = promisify(execFile);

let directory: string;
let layouts: Layouts;
let proxy: RegistryProxy;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ctr-'));
  layouts = await buildLayouts(join(directory, 'layouts'), 12_000_000);
  for (const kind of kinds) {
    await run('tar', ['-cf', join(directory, `${kind}.tar`), '-C', layouts.directories[kind], '.']);
  }
  const own = releases.flatMap((release) =>
    [...frontNames, 'push-only'].map((purpose) => `team-a/${release}/${purpose}`),
  );
  proxy = await startProxy(join(directory, 'data'), [...own, shownRepository], { withRegistry: true });
});
afterAll(async () => {
  await proxy?.close();
  await rm(directory, { recursive: true, force: true });
});

/** What is for Kubernetes, or for file systems that are not there, is left out. */
const configuration = (home: string): string => `version = 2
root = "${home}/root"
state = "${home}/state"
disabled_plugins = [
  "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime",
  "io.containerd.nri.v1.nri", "io.containerd.internal.v1.opt", "io.containerd.internal.v1.restart",
]
[grpc]
  address = "${home}/socket"
[ttrpc]
  address = "${home}/ttrpc"
`;

/** A daemon of its own, which keeps everything below `home`, and the command line at it. */
async function startContainerd({ daemon, client }: Programs, home: string) {
  await mkdir(home, { recursive: true });
  await writeFile(join(home, 'config.toml'), configuration(home));
  const child = spawn(daemon, ['--config', join(home, 'config.toml')], { stdio: 'ignore' });
  const ctr = (...args: string[]) => runTool(client, ['--address', join(home, 'socket'), ...args], { home });
  while (!(await ctr('version').catch(() => undefined))) {
    if (child.exitCode !== null) {
      throw new Error(`containerd ended with ${child.exitCode}`);
    }
    await sleep(200);
  }
  return {
    ctr,
    stop: async () => {
      if (child.exitCode === null) {
        const ended = once(child, 'exit');
        child.kill();
        await ended;
      }
    },
  };
}

type Programs = { daemon: string; client: string };
function programsOf(release: Release): Programs | { reason: string } {
  const [daemon, client] = [findProgram('containerd', release), findProgram('ctr', release)];
  if (process.getuid?.() !== 0) {
    return { reason: 'containerd needs root' };
  }
  if ('reason' in daemon) {
    return daemon;
  }
  return 'reason' in client ? client : { daemon: daemon.path, client: client.path };
}

describe.each(releases)('ctr of Debian %s', (release) => {
  const programs = programsOf(release);
  if ('reason' in programs) {
    it('is tested', ({ skip }) => skip(programs.reason));
    return;
  }
  let started: Awaited<ReturnType<typeof startContainerd>>;
  const images = (...args: string[]) => started.ctr('images', ...args);
  const push = (image: string, token: string) =>
    images('push', '--plain-http', '--user', `any:${token}`, image);
  /** As `name:single`, `name:multi` or `name:artifact`. */
  const importAs = (name: string, kind: (typeof kinds)[number]) =>
    images(
      ...['import', '--no-unpack', '--all-platforms', '--base-name', name],
      join(directory, `${kind}.tar`),
    );

  beforeAll(async () => {
    started = await startContainerd(programs, join(directory, release));
  });
  afterAll(() => started?.stop());

  it.each(frontNames)('pushes to the %s, whole, again too, and pulls', async (frontName) => {
    const front = await fronts[frontName](proxy, tokens.a);
    try {
      const repositoryName = `team-a/${release}/${frontName}`;
      const name = `${front.host}/${repositoryName}`;
      for (const kind of frontName === 'endpoint' || pushesAllKinds ? kinds : (['single'] as const)) {
        await importAs(name, kind);
        await push(`${name}:${kind}`, tokens.a);
        await push(`${name}:${kind}`, tokens.a);
        expect((await pull(proxy.ecrUrl, repositoryName, kind)).digest).toBe(layouts.digests[kind]);
        await images('rm', '--sync', `${name}:${kind}`);
      }
      await images('pull', '--plain-http', '--user', `any:${tokens.a}`, `${name}:single`);
      expect(await images('ls')).toContain(layouts.digests.single);
    } finally {
      await front.stop();
    }
  });

  it('pushes with a token that may not read, moves a tag, and may not pull', async () => {
    const { host } = await fronts.endpoint(proxy, tokens.pushOnly);
    const repositoryName = `team-a/${release}/push-only`;
    const name = `${host}/${repositoryName}`;
    for (const kind of ['single', 'artifact'] as const) {
      await importAs(name, kind);
      await images('tag', '--force', `${name}:${kind}`, `${name}:1.0`);
      for (const image of [`${name}:${kind}`, `${name}:1.0`, `${name}:1.0`]) {
        await push(image, tokens.pushOnly);
      }
      expect((await pull(proxy.ecrUrl, repositoryName, '1.0')).digest).toBe(layouts.digests[kind]);
    }
    await images('rm', '--sync', `${name}:1.0`);
    const pulled = images('pull', '--plain-http', '--user', `any:${tokens.pushOnly}`, `${name}:1.0`);
    await expect(pulled).rejects.toThrow(/not found/);
  });

  it('shows why it is refused, as the page says', async () => {
    const { host } = await fronts.endpoint(proxy, tokens.a);
    const version = /v?(\d+)\.\d+\.\d/.exec(await started.ctr('--version'))?.[1];
    await importAs(`${host}/team-a/source`, 'single');
    await expectShown(`ctr, containerd ${version}`, async ({ token, repositoryName, tag }) => {
      const image = `${host}/${repositoryName}:${tag}`;
      await images('tag', '--force', `${host}/team-a/source:single`, image);
      await push(image, token);
    });
  });
});

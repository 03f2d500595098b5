// Docker's own engines push to the registry endpoint and through the bridge, and pull back, with each of their stores.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RegistryProxy, startProxy } from '../../support/bridge.ts';
import { pull } from '../../support/pulled.ts';
import { randomBytes } from '../../support/random-bytes.ts';
import { tokens } from '../../support/resource-api.ts';
import { expectBuildCache } from './build-cache.ts';
import { engines, probe, startEngine } from './engine.ts';
import { frontNames, fronts } from './fronts.ts';
import { expectShown, shownRepository } from './shown.ts';

const run = promisify(execFile);

let directory: string;
let proxy: RegistryProxy;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'docker-'));
  const own = engines.flatMap(({ name }) =>
    [...frontNames, 'push-only', 'cache'].map((purpose) => `team-a/${name}/${purpose}`),
  );
  proxy = await startProxy(join(directory, 'data'), [...own, shownRepository], { withRegistry: true });
});
afterAll(async () => {
  await proxy?.close();
  await rm(directory, { recursive: true, force: true });
});

const probed = await Promise.all(engines.map(async (engine) => ({ engine, found: await probe(engine) })));

describe.each(probed)('docker, $engine.name, with its $engine.store store', ({ engine, found }) => {
  if ('reason' in found) {
    it('is tested', ({ skip }) => skip(found.reason));
    return;
  }
  let started: Awaited<ReturnType<typeof startEngine>>;
  let home: string;
  const docker = (...args: string[]) => started.docker(...args);
  const login = (host: string, token: string) => docker('login', host, '-u', 'any', '-p', token);

  /** An image of one layer that nothing else has. */
  async function importImage(image: string, bytes: number) {
    await writeFile(join(home, 'file'), randomBytes(bytes));
    await run('tar', ['--create', '--file', join(home, 'root.tar'), '--directory', home, 'file']);
    await docker('import', join(home, 'root.tar'), image);
  }

  beforeAll(async () => {
    home = join(directory, engine.name);
    started = await startEngine(engine, home);
  });
  afterAll(() => started?.stop());

  it.each(frontNames)('logs in to the %s, pushes, pushes again and pulls', async (frontName) => {
    const front = await fronts[frontName](proxy, tokens.a);
    try {
      const repositoryName = `team-a/${engine.name}/${frontName}`;
      const image = `${front.host}/${repositoryName}:1.0`;
      // More than one part, of 10 MiB or of 4.
      await importImage(image, frontName === 'endpoint' ? 24_000_001 : 9_000_001);
      if (frontName === 'endpoint') {
        await login(front.host, tokens.a);
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

  it('pushes with a token that may not read, moves a tag, and may not pull', async () => {
    const { host } = await fronts.endpoint(proxy, tokens.pushOnly);
    const repositoryName = `team-a/${engine.name}/push-only`;
    const image = `${host}/${repositoryName}:1.0`;
    await login(host, tokens.pushOnly);
    await importImage(image, 9_000);
    await docker('push', image);
    const first = await pull(proxy.ecrUrl, repositoryName, '1.0');
    await docker('push', image);
    expect(await pull(proxy.ecrUrl, repositoryName, '1.0')).toEqual(first);
    await importImage(image, 9_000);
    await docker('push', image);
    expect((await pull(proxy.ecrUrl, repositoryName, '1.0')).digest).not.toBe(first.digest);
    await docker('rmi', '--force', image);
    await expect(docker('pull', image)).rejects.toThrow(/denied|not found/i);
  });

  it('shows why it is refused, as the page says', async () => {
    const { host } = await fronts.endpoint(proxy, tokens.a);
    await expectShown(
      `docker ${found.version}, ${engine.store} store`,
      async ({ token, repositoryName, tag }) => {
        const image = `${host}/${repositoryName}:${tag}`;
        await importImage(image, 1_000);
        await login(host, token);
        await docker('push', image);
      },
    );
  });

  it('builds an image, and keeps its build cache in the registry', async ({ skip }) => {
    if (engine.store === 'classic' || !started.hasBuildx) {
      skip('a cache in a registry needs buildx and the containerd store');
    }
    const { host } = await fronts.endpoint(proxy, tokens.a);
    await login(host, tokens.a);
    await expectBuildCache({ docker, home, proxy, host, repositoryName: `team-a/${engine.name}/cache` });
  });
});

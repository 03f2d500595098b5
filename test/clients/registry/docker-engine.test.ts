// Docker's own engine pushes to the registry endpoint and through the bridge, and pulls back; with its containerd store too.

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
import { type Engine, engineLacking, startEngine, stores } from './docker-engine.ts';
import { frontNames, fronts } from './fronts.ts';
import { runTool } from './tools.ts';

const run = promisify(execFile);

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

describe.each(stores)('docker with its %s store', (store) => {
  const reason = engineLacking(store);
  let engine: Engine;
  let home: string;
  const docker = (...args: string[]) => runTool('docker', ['--host', engine.url, ...args], { home });

  beforeAll(async () => {
    home = join(directory, store);
    if (reason === undefined) {
      engine = await startEngine(store, home);
    }
  });
  afterAll(() => engine?.stop());

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

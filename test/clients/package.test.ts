// The package as another project has it: packed, installed, imported with its types.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);

let project: string;
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'another-project-'));
  const installed = join(project, 'node_modules/ecr-upload-proxy');
  await mkdir(installed, { recursive: true });
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', project], {
    cwd: root,
  });
  const [{ filename }] = JSON.parse(stdout);
  await run('tar', ['-xzf', join(project, filename), '-C', installed, '--strip-components=1']);
  // Its dependencies, as npm would install them.
  for (const name of [...Object.keys(packageJson.dependencies), '@types/node']) {
    await mkdir(join(project, 'node_modules', name, '..'), { recursive: true });
    await symlink(join(root, 'node_modules', name), join(project, 'node_modules', name));
  }
  await writeFile(join(project, 'package.json'), '{"type":"module"}');
});
afterAll(() => rm(project, { recursive: true, force: true }));

describe('the packed client', () => {
  it('is imported by a program', async () => {
    const program = `import { ProxyClient, Uploader } from 'ecr-upload-proxy/client';
      const client = new ProxyClient({ endpoint: 'http://127.0.0.1:1', token: 'eup_a_b', timeoutMs: 1000 });
      const uploader = new Uploader(client, { retry: { attempts: 1 } });
      await uploader.findLayer({ repositoryName: 'team-a/app', layerDigest: 'sha256:0' }).catch(({ code }) => console.log(code));`;
    await writeFile(join(project, 'program.js'), program);
    const { stdout } = await run(process.execPath, ['program.js'], { cwd: project });
    expect(stdout).toBe('NoAnswer\n');
  });

  it('has types', async () => {
    const program = `import { type Answer, ProxyClient, type PushedLayer, Uploader } from 'ecr-upload-proxy/client';
      const client = new ProxyClient({ endpoint: 'https://x.test', registry: 'ecr-public', token: () => 'x' });
      export const begun: Answer<'InitiateLayerUpload'> = await client.send('InitiateLayerUpload', { repositoryName: 'a/b' });
      export const pushed: PushedLayer = await new Uploader(client).pushLayer({ repositoryName: 'a/b', source: async function* () {} });
      // @ts-expect-error: no such member
      await client.send('InitiateLayerUpload', { repository: 'a/b' });`;
    await writeFile(join(project, 'program.ts'), program);
    const flags = [
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--types',
      'node',
      '--noEmit',
      'program.ts',
    ];
    const { stdout } = await run(join(root, 'node_modules/.bin/tsc'), flags, { cwd: project }).catch(
      (failure: { stdout: string }) => failure,
    );
    expect(stdout).toBe('');
  });

  it('keeps what is not exported to itself', async () => {
    const program = `await import('ecr-upload-proxy/dist/client.js').catch(({ code }) => console.log(code));`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { cwd: project });
    expect(stdout).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED\n');
  });
});

// The package as another project has it, one without the CDK: packed, installed, imported with its types.

import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProject, typeCheck } from './another-project.ts';

const run = promisify(execFile);

let project: string;
beforeAll(async () => {
  project = await createProject(['@types/node']);
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
    const program = `import { type Output, ProxyClient, type PushedLayer, Uploader } from 'ecr-upload-proxy/client';
      const client = new ProxyClient({ endpoint: 'https://x.test', registry: 'ecr-public', token: () => 'x' });
      export const begun: Output<'InitiateLayerUpload'> = await client.send('InitiateLayerUpload', { repositoryName: 'a/b' });
      export const pushed: PushedLayer = await new Uploader(client).pushLayer({ repositoryName: 'a/b', source: async function* () {} });
      // @ts-expect-error: no such member
      await client.send('InitiateLayerUpload', { repository: 'a/b' });`;
    expect(await typeCheck(project, program)).toBe('');
  });

  it('keeps what is not exported to itself', async () => {
    const program = `await import('ecr-upload-proxy/dist/client.js').catch(({ code }) => console.log(code));`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { cwd: project });
    expect(stdout).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED\n');
  });
});

describe('the packed command line', () => {
  it('knows its commands', async () => {
    const main = join(project, 'node_modules/ecr-upload-proxy/dist/cli.js');
    const { stdout } = await run(process.execPath, [main, '--help'], { cwd: project });
    expect(stdout).toMatch(/^ {2}bridge /m);
  });
});

// What the stand-in keeps: restarts, kills in the middle of an upload, and the options it starts with.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as ecrModule from '@aws-sdk/client-ecr';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EcrOptions } from '../../local/ecr/server.ts';
import {
  type LayerClient,
  makeDirectory,
  mebibyte,
  part,
  privateClient,
  pushLayer,
  pushLayersOfImage,
  repositories,
  startStandIn,
} from '../support/ecr-stand-in.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';

const repositoryName = 'team/app';

let dataDirectory: string;
beforeEach(async () => {
  dataDirectory = await makeDirectory();
});
afterEach(() => rm(dataDirectory, { recursive: true, force: true }));

const start = (options: Partial<EcrOptions> = {}) => startStandIn({ dataDirectory, ...options });

/** The last byte the stand-in has of an upload, -1 for none: told by the refusal of a part far beyond. */
async function lastValidByte(client: LayerClient, uploadId: string | undefined): Promise<number> {
  const beyond = part(Buffer.from('x'), 1_000_000_000_000);
  const refused = client.uploadLayerPart({ repositoryName, uploadId, ...beyond });
  const { name, lastValidByteReceived = -1 } = await refused.catch((error) => error);
  expect(name).toBe('InvalidLayerPartException');
  return lastValidByteReceived;
}

/** The state.json of every repository, by repository name. */
async function readStates(registry: string) {
  const parent = join(dataDirectory, registry);
  const paths = (await readdir(parent)).map((name) => join(parent, name, 'state.json'));
  const states = await Promise.all(
    paths.map(async (path) => ({ path, ...JSON.parse(await readFile(path, 'utf8')) })),
  );
  return new Map(states.map((state) => [`${state.repositoryName}`, state]));
}

describe('a restart', () => {
  it('keeps layers, images, tags and uploads under way', async () => {
    const before = await start();
    const manifest = await pushLayersOfImage(before.ecr, repositoryName);
    await before.ecr.putImage({ repositoryName, imageManifest: manifest, imageTag: 'v1' });
    const digest = await pushLayer(before.ecrPublic, repositoryName, randomBytes(99));
    const bytes = randomBytes(5 * mebibyte + 5);
    const { uploadId } = await before.ecr.initiateLayerUpload({ repositoryName });
    const upload = { repositoryName, uploadId };
    await before.ecr.uploadLayerPart({ ...upload, ...part(bytes.subarray(0, 5 * mebibyte)) });
    const { uploadId: untouched } = await before.ecr.initiateLayerUpload({ repositoryName });
    await before.close();

    const after = await start();
    expect(await (await fetch(`${after.url}/v2/${repositoryName}/manifests/v1`)).text()).toBe(manifest);
    const { layers } = await after.ecrPublic.batchCheckLayerAvailability({
      repositoryName,
      layerDigests: [digest],
    });
    expect(layers).toMatchObject([{ layerAvailability: 'AVAILABLE', layerSize: 99 }]);
    await after.ecr.uploadLayerPart({ ...upload, ...part(bytes.subarray(5 * mebibyte), 5 * mebibyte) });
    await after.ecr.completeLayerUpload({ ...upload, layerDigests: [digestOf(bytes)] });
    expect(await lastValidByte(after.ecr, untouched)).toBe(-1);
    await after.close();
  });

  it('right after a close finds whole the part that was being written', async () => {
    const before = await start();
    const { uploadId } = await before.ecr.initiateLayerUpload({ repositoryName });
    const upload = { repositoryName, uploadId };
    const uploads = join((await readStates('ecr')).get(repositoryName).path, '..', 'uploads');
    const watcher = watch(uploads);
    const firstWrite = once(watcher, 'change');
    const bytes = randomBytes(10 * mebibyte);
    const sent = before.ecr.uploadLayerPart({ ...upload, ...part(bytes) }).catch(() => 'lost');
    await firstWrite;
    watcher.close();
    await before.close();
    const after = await start();
    expect(await lastValidByte(after.ecr, uploadId)).toBe(bytes.length - 1);
    await after.ecr.completeLayerUpload({ ...upload, layerDigests: [digestOf(bytes)] });
    await Promise.all([sent, after.close()]);
  });

  it('remembers a small part before the last', async () => {
    const before = await start();
    const { uploadId } = await before.ecr.initiateLayerUpload({ repositoryName });
    const upload = { repositoryName, uploadId };
    await before.ecr.uploadLayerPart({ ...upload, ...part(Buffer.from('ab')) });
    await before.close();
    const after = await start();
    await after.ecr.uploadLayerPart({ ...upload, ...part(Buffer.from('cd'), 2) });
    const complete = after.ecr.completeLayerUpload({ ...upload, layerDigests: [digestOf('abcd')] });
    await expect(complete).rejects.toBeInstanceOf(ecrModule.LayerPartTooSmallException);
    await after.close();
  });

  it('drops bytes that no state names, and refuses to start when bytes on record are gone', async () => {
    const before = await start();
    const bytes = randomBytes(500);
    const digest = await pushLayer(before.ecr, repositoryName, bytes);
    await before.close();
    const { path, layers } = (await readStates('ecr')).get(repositoryName);
    const uploadPath = join(path, '..', 'uploads', layers[0][1].uploadId);
    await appendFile(uploadPath, 'torn');
    await writeFile(join(path, '..', 'uploads', 'orphan'), 'torn');
    await writeFile(`${path}.new`, '{"torn":');

    const after = await start();
    const blob = await fetch(`${after.url}/v2/${repositoryName}/blobs/${digest}`);
    expect(digestOf(Buffer.from(await blob.arrayBuffer()))).toBe(digest);
    expect(await readFile(uploadPath)).toEqual(bytes);
    expect(await readdir(join(uploadPath, '..'))).toHaveLength(1);
    await after.close();

    await writeFile(uploadPath, 'short');
    await expect(start()).rejects.toThrow('holds 5 of the 500 bytes on record');
  });

  it('keeps repositories that are no longer listed, and takes tag mutability from the listing', async () => {
    const before = await start();
    const imageTag = 'v1';
    const put = async (client: LayerClient) =>
      client.putImage({
        repositoryName,
        imageTag,
        imageManifest: await pushLayersOfImage(client, repositoryName),
      });
    await put(before.ecr);
    await before.close();
    const after = await start({
      repositories: [{ registry: 'ecr', repositoryName, imageTagMutability: 'IMMUTABLE' }],
    });
    await expect(put(after.ecr)).rejects.toBeInstanceOf(ecrModule.ImageTagAlreadyExistsException);
    await after.ecr.initiateLayerUpload({ repositoryName: 'team/other' });
    await after.close();
  });
});

describe('the number of parts in a layer', () => {
  it.each([
    { registry: 'ecr', maxParts: 4_200 },
    { registry: 'ecr-public', maxParts: 1_000 },
  ])('is $maxParts at most in $registry', async ({ registry, maxParts }) => {
    const before = await start();
    const client = registry === 'ecr' ? before.ecr : before.ecrPublic;
    const { uploadId } = await client.initiateLayerUpload({ repositoryName });
    const upload = { repositoryName, uploadId };
    await client.uploadLayerPart({ ...upload, ...part(Buffer.from('a')) });
    await before.close();
    // All but the last part are taken as sent, which saves thousands of calls.
    const { path, ...state } = (await readStates(registry)).get(repositoryName);
    state.uploads[0][1].parts = maxParts - 1;
    await writeFile(path, JSON.stringify(state));

    const after = await start();
    const again = registry === 'ecr' ? after.ecr : after.ecrPublic;
    await again.uploadLayerPart({ ...upload, ...part(Buffer.from('b'), 1) });
    await expect(again.uploadLayerPart({ ...upload, ...part(Buffer.from('c'), 2) })).rejects.toMatchObject({
      name: 'LimitExceededException',
    });
    expect(await lastValidByte(again, uploadId)).toBe(1);
    await after.close();
  });
});

describe('a kill', () => {
  const serverUrl = new URL('../../local/ecr/server.ts', import.meta.url).href;

  /** A stand-in in a process of its own, which SIGKILL ends as it would end the real one. */
  async function spawnStandIn(): Promise<{ child: ChildProcess; url: string }> {
    const options = JSON.stringify({ port: 0, dataDirectory, repositories });
    const script = `import { startEcr } from '${serverUrl}'; console.log((await startEcr(${options})).url);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(child.stdout, 'data');
    return { child, url: String(line).trim() };
  }

  it('while a part is being written leaves an upload that can be continued and completed', async () => {
    const bytes = randomBytes(50 * mebibyte);
    const before = await start();
    const { uploadId } = await before.ecr.initiateLayerUpload({ repositoryName });
    const upload = { repositoryName, uploadId };
    await before.close();

    const uploads = join((await readStates('ecr')).get(repositoryName).path, '..', 'uploads');
    let next = 0;
    for (const delayMs of [0, 3, 10, 30]) {
      const { child, url } = await spawnStandIn();
      const watcher = watch(uploads);
      const firstWrite = once(watcher, 'change');
      const slice = bytes.subarray(next, next + 10 * mebibyte);
      const sent = privateClient(url)
        .uploadLayerPart({ ...upload, ...part(slice, next) })
        .catch(() => 'lost');
      await firstWrite;
      watcher.close();
      await sleep(delayMs);
      child.kill('SIGKILL');
      await Promise.all([once(child, 'exit'), sent]);
      const check = await start();
      const received = (await lastValidByte(check.ecr, uploadId)) + 1;
      await check.close();
      expect([next, next + slice.length]).toContain(received);
      next = received;
    }

    const after = await start();
    for (let first = next; first < bytes.length; first += 10 * mebibyte) {
      await after.ecr.uploadLayerPart({
        ...upload,
        ...part(bytes.subarray(first, first + 10 * mebibyte), first),
      });
    }
    await after.ecr.completeLayerUpload({ ...upload, layerDigests: [digestOf(bytes)] });
    await after.close();
  });
});

describe('starting', () => {
  it('on a port in use fails with EADDRINUSE, and touches no data', async () => {
    const first = await start();
    const elsewhere = await makeDirectory();
    await expect(start({ port: first.port, dataDirectory: elsewhere })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    expect(await readdir(elsewhere)).toEqual([]);
    await Promise.all([first.close(), rm(elsewhere, { recursive: true })]);
  });

  it('says where it listens', async () => {
    const server = await start();
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    await server.close();
  });

  it.each<{ what: string; options: Partial<EcrOptions>; says: string }>([
    { what: 'an account id of another form', options: { accountId: '1234' }, says: 'accountId' },
    { what: 'an alias of another form', options: { publicAlias: 'Team_' }, says: 'publicAlias' },
    {
      what: 'a repository name that ECR refuses',
      options: { repositories: [{ registry: 'ecr', repositoryName: 'Team/App' }] },
      says: 'Team/App',
    },
    {
      what: 'immutable tags in a public repository',
      options: {
        repositories: [{ registry: 'ecr-public', repositoryName: 'app', imageTagMutability: 'IMMUTABLE' }],
      },
      says: 'no immutable tags',
    },
    {
      what: 'a private repository where the public ones are read',
      options: { publicAlias: 'taken', repositories: [{ registry: 'ecr', repositoryName: 'taken/app' }] },
      says: '/v2/taken/',
    },
    {
      what: 'one repository listed twice',
      options: {
        repositories: [
          { registry: 'ecr', repositoryName: 'team/app' },
          { registry: 'ecr', repositoryName: 'team/app', imageTagMutability: 'IMMUTABLE' },
        ],
      },
      says: 'twice',
    },
  ])('with $what is refused', async ({ options, says }) => {
    await expect(start(options)).rejects.toThrow(says);
  });
});

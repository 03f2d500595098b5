// Moto's ECR behind the proxy: a second opinion on what ECR answers, which no author of the proxy has written.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateRepositoryCommand, ECRClient } from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partSize as P } from '../../api/limits.ts';
import { type Moto, startMoto } from '../deploy/moto.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { manifestOf } from '../support/manifests.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { type ResourceApi, resourceApi } from '../support/resource-api.ts';

process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';

let directory: string;
let moto: Moto;
let proxy: InProcess;
let client: ResourceApi;

// Moto and what it needs are installed where they are not there yet.
const installTimeoutMs = 600_000;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'moto-'));
  moto = await startMoto(join(directory, 'moto.log'), { asPublished: true });
  const ecr = new ECRClient(moto.clientConfig);
  for (const repositoryName of ['team-a/app', 'team-a/immutable']) {
    const imageTagMutability = repositoryName === 'team-a/immutable' ? 'IMMUTABLE' : 'MUTABLE';
    await ecr.send(new CreateRepositoryCommand({ repositoryName, imageTagMutability }));
  }
  ecr.destroy();
  proxy = await startInProcess({
    between: async (standIn, url) => (standIn === 'ecr' ? moto.clientConfig.endpoint : url),
  });
  client = resourceApi(proxy.send);
}, installTimeoutMs);
afterAll(async () => {
  await proxy?.close();
  await moto?.close();
  await rm(directory, { recursive: true, force: true });
});

async function pushLayer(layer: Buffer, to = client): Promise<void> {
  const uploadId = await to.begin();
  for (let part = 0; part * P < layer.length; part += 1) {
    expect((await to.uploadNth(uploadId, layer, part)).status).toBe(200);
  }
  const completed = { status: 201, body: { layerDigest: digestOf(layer) } };
  expect(await to.complete(uploadId, digestOf(layer))).toMatchObject(completed);
  // Moto has forgotten the upload, as ECR has: a completion that is sent again is recognised.
  expect(await to.complete(uploadId, digestOf(layer))).toMatchObject(completed);
}

describe('with moto’s ECR', () => {
  it('a layer of several pairs arrives whole, and a part that is sent again is taken', async () => {
    const layer = randomBytes(4 * P + 7);
    const uploadId = await client.begin();
    for (const part of [0, 1, 1, 2, 3, 2, 3, 4]) {
      expect((await client.uploadNth(uploadId, layer, part)).status).toBe(200);
    }
    expect((await client.complete(uploadId, digestOf(layer))).status).toBe(201);
    const layerDigest = digestOf(layer);
    expect(await client.available(layerDigest)).toMatchObject({
      body: { layers: [{ layerDigest, layerAvailability: 'AVAILABLE', layerSize: layer.length }] },
    });
  });

  it('a part that is not the next one is answered with the position to resume at', async () => {
    const layer = randomBytes(5 * P);
    const uploadId = await client.begin();
    const ahead = await client.uploadNth(uploadId, layer, 4);
    expect({ status: ahead.status, code: ahead.body.code }).toEqual({
      status: 416,
      code: 'InvalidLayerPartException',
    });
    expect(ahead.body).not.toHaveProperty('lastValidByteReceived');
    for (const part of [0, 1]) {
      await client.uploadNth(uploadId, layer, part);
    }
    expect((await client.uploadNth(uploadId, layer, 4)).body.lastValidByteReceived).toBe(2 * P - 1);
  });

  it('a layer that is absent is passed on among the failures, and what is no digest too', async () => {
    const absent = digestOf('absent');
    const { status, body } = await client.available(absent, '');
    expect(status).toBe(200);
    expect(body).toMatchObject({ layers: [], failures: [{ layerDigest: absent }, { layerDigest: '' }] });
  });

  it('an upload or a repository that is not there is named as by ECR', async () => {
    const none = resourceApi(proxy.send, undefined, 'team-a/none');
    expect((await none.initiate()).body.code).toBe('RepositoryNotFoundException');
  });

  it('a layer that moto makes under another digest than was asked for is no success', async () => {
    const { status, body } = await client.complete(await client.begin(), digestOf('nothing'));
    expect([status, body.code]).toEqual([502, 'ServerException']);
  });

  it('an image is put, and a tag that is immutable is 409', async () => {
    const layer = randomBytes(9);
    const immutable = resourceApi(proxy.send, undefined, 'team-a/immutable');
    await pushLayer(layer, immutable);
    const put = (imageManifest: string) => immutable.putImage({ imageManifest, imageTag: '1.0' });
    expect((await put(manifestOf(layer, [layer]))).status).toBe(201);
    const again = await put(manifestOf(layer, [layer, layer]));
    expect(again.status).toBe(409);
    expect(['ImageAlreadyExistsException', 'ImageTagAlreadyExistsException']).toContain(again.body.code);
  });
});

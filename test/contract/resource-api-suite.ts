// What holds of the resource API whatever carries the requests: one suite, run over every transport.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { partSize as P } from '../../api/limits.ts';
import type { Registry } from '../../api/registries.ts';
import type { Faults } from '../support/faults.ts';
import { indexOf, manifestOf, ociManifest } from '../support/manifests.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { type Answer, type ResourceApi, resourceApi, type Send, tokens } from '../support/resource-api.ts';
import { stored } from '../support/stored.ts';
import { describeReads } from './resource-api-reads.ts';

/** A running proxy and the ECR stand-in behind it. */
export type Proxy = Faults & { send: Send; ecrUrl: string; close(): Promise<void> };

const partsOf = (length: number) => Math.ceil(length / P);

const problem = (status: number, code: string, members: object = {}) => ({
  status,
  body: { status, code, ...members },
});

const position = (lastValidByteReceived: number | undefined) => (answer: Answer) => {
  expect(answer).toMatchObject(problem(416, 'InvalidLayerPartException'));
  expect(answer.body.lastValidByteReceived).toBe(lastValidByteReceived);
  const range = lastValidByteReceived === undefined ? null : `bytes=0-${lastValidByteReceived}`;
  expect(answer.headers.get('range')).toBe(range);
};

export function describeResourceApi(
  transport: string,
  registry: Registry,
  start: () => Promise<Proxy>,
): void {
  const isPrivate = registry === 'ecr';
  describe(`the resource API for ${registry}, ${transport}`, () => {
    let proxy: Proxy;
    let client: ResourceApi;
    const as = (token: string, repositoryName: string) =>
      resourceApi((path, init) => proxy.send(path, init), token, repositoryName, registry);

    beforeAll(async () => {
      proxy = await start();
      client = as(tokens.a, 'team-a/app');
    });
    afterAll(() => proxy?.close());
    beforeEach(() => proxy.disarm());

    const arrived = async (layer: Buffer) => {
      const bytes = await stored(proxy.ecrUrl, registry, `blobs/${digestOf(layer)}`);
      expect(Buffer.compare(bytes, layer)).toBe(0);
    };

    const sendParts = async (uploadId: string, layer: Uint8Array, from = 0, to = partsOf(layer.length)) => {
      for (let part = from; part < to; part++) {
        const last = Math.min((part + 1) * P, layer.length) - 1;
        const answer = await client.uploadNth(uploadId, layer, part);
        expect(answer).toMatchObject({ status: 200, body: { lastByteReceived: last, uploadId } });
      }
    };

    const completes = async (uploadId: string, layer: Buffer) => {
      const layerDigest = digestOf(layer);
      expect(await client.complete(uploadId, layerDigest)).toMatchObject({
        status: 201,
        body: { layerDigest, uploadId },
      });
      await arrived(layer);
    };

    const pushLayer = async (layer: Buffer) => {
      const uploadId = await client.begin();
      await sendParts(uploadId, layer);
      await completes(uploadId, layer);
    };

    describe('a layer', () => {
      it('is begun with a sealed upload id and the proxy’s own part size', async () => {
        const { status, body } = await client.initiate();
        expect(status).toBe(201);
        expect(body).toEqual({ uploadId: expect.stringMatching(/^[0-9a-f-]{69}$/), partSize: P });
      });

      it.each([
        ['1 byte', 1],
        ['P − 1', P - 1],
        ['P', P],
        ['P + 1', P + 1],
        ['2P − 1', 2 * P - 1],
        ['2P', 2 * P],
        ['2P + 1', 2 * P + 1],
        ['3P', 3 * P],
        ['5P + 7', 5 * P + 7],
      ])('of %s arrives byte for byte', async (_, length) => {
        await pushLayer(randomBytes(length));
      });

      it('arrives when its parts are JSON with ECR’s members', async () => {
        const layer = randomBytes(2 * P + 5);
        const uploadId = await client.begin();
        for (let first = 0; first < layer.length; first += P) {
          const bytes = layer.subarray(first, first + P);
          const answer = await client.json('PUT', `/layer-uploads/${uploadId}/parts`, {
            repositoryName: 'team-a/app',
            partFirstByte: first,
            partLastByte: first + bytes.length - 1,
            layerPartBlob: bytes.toString('base64'),
          });
          expect(answer.status).toBe(200);
        }
        await completes(uploadId, layer);
      });

      it.each([0, 1, 2, 3, 4])('arrives although its part %i is sent twice', async (twice) => {
        const layer = randomBytes(4 * P + 9);
        const uploadId = await client.begin();
        await sendParts(uploadId, layer, 0, twice + 1);
        await sendParts(uploadId, layer, twice, twice + 1);
        await sendParts(uploadId, layer, twice + 1);
        await completes(uploadId, layer);
      });

      it('arrives although all its parts are sent again from the first', async () => {
        const layer = randomBytes(3 * P);
        const uploadId = await client.begin();
        await sendParts(uploadId, layer);
        await sendParts(uploadId, layer);
        await completes(uploadId, layer);
      });

      it('arrives although each part is sent twice at the same time', async () => {
        const layer = randomBytes(3 * P + 1);
        const uploadId = await client.begin();
        for (let part = 0; part < partsOf(layer.length); part++) {
          const answers = await Promise.all([0, 1].map(() => client.uploadNth(uploadId, layer, part)));
          expect(answers.map(({ status }) => status)).toEqual([200, 200]);
        }
        await completes(uploadId, layer);
      });

      it('that is there already is refused as such, and stays', async () => {
        const layer = randomBytes(1_000);
        await pushLayer(layer);
        const uploadId = await client.begin();
        await sendParts(uploadId, layer);
        expect(await client.complete(uploadId, digestOf(layer))).toMatchObject(
          problem(409, 'LayerAlreadyExistsException'),
        );
      });

      it('is found by its digest once it is there', async () => {
        const layer = randomBytes(1_000);
        const absent = digestOf('nothing');
        await pushLayer(layer);
        const { status, body } = await client.available(digestOf(layer), absent);
        expect(status).toBe(200);
        expect(body.layers).toContainEqual(
          expect.objectContaining({
            layerDigest: digestOf(layer),
            layerAvailability: 'AVAILABLE',
            layerSize: 1_000,
          }),
        );
        expect(JSON.stringify(body)).toContain(absent);
      });
    });

    describe('a part that is not the next', () => {
      const layer = randomBytes(6 * P + 3);
      const part = (n: number) => layer.subarray(n * P, (n + 1) * P);

      it.each([1, 2, 3, 6])(
        'is refused as the first, at part %i, and nothing is said to be received',
        async (n) => {
          position(undefined)(await client.uploadNth(await client.begin(), layer, n));
        },
      );

      it.each([
        [1, 2, 'the second of a pair left out'],
        [1, 3, 'the second of a pair and the first of the next left out'],
        [2, 3, 'the first of a pair left out'],
        [2, 4, 'a pair left out'],
        [2, 6, 'all but the short last part left out'],
        [3, 4, 'a second left out, with bytes in ECR'],
        [3, 6, 'a second and all between left out'],
      ])('is refused with %i parts received at part %i: %s', async (received, next) => {
        // ECR has no layer twice: another for each row, and no longer than the row needs.
        const own = randomBytes(Math.min(layer.length, (next + 1) * P));
        const uploadId = await client.begin();
        await sendParts(uploadId, own, 0, received);
        position(received * P - 1)(await client.uploadNth(uploadId, own, next));
        await sendParts(uploadId, own, received);
        await completes(uploadId, own);
      });

      it('is refused when it does not begin at a multiple of the part size, before any byte is stored', async () => {
        const uploadId = await client.begin();
        await sendParts(uploadId, layer, 0, 1);
        position(P - 1)(await client.uploadPart(uploadId, P + 1, part(1)));
        position(P - 1)(await client.uploadPart(uploadId, 1, part(0)));
        position(P - 1)(await client.uploadPart(uploadId, 2 * P - 100, part(1).subarray(0, 100)));
        const own = randomBytes(2 * P);
        const another = await client.begin();
        await sendParts(another, own, 0, 1);
        position(P - 1)(await client.uploadPart(another, P - 1, own.subarray(0, P)));
        await sendParts(another, own, 1);
        await completes(another, own);
      });

      it('is refused after a part that was shorter and thereby the last', async () => {
        const uploadId = await client.begin();
        expect((await client.uploadPart(uploadId, 0, part(0).subarray(0, 1_000))).status).toBe(200);
        position(999)(await client.uploadPart(uploadId, 1_000, part(1)));
        position(999)(await client.uploadNth(uploadId, layer, 1));
      });

      it('gets the next position and what to do', async () => {
        const uploadId = await client.begin();
        await sendParts(uploadId, layer, 0, 1);
        const { body } = await client.uploadNth(uploadId, layer, 2);
        expect(body.detail).toBe(
          `First byte of the layer part is ${2 * P} instead of ${P}. Send the ${P} bytes from ${P} on; only the last part may be shorter.`,
        );
      });
    });

    describe('a completion', () => {
      it('of an upload that is complete already answers as the first time', async () => {
        const layer = randomBytes(P);
        const uploadId = await client.begin();
        await sendParts(uploadId, layer);
        await completes(uploadId, layer);
        await completes(uploadId, layer);
      });

      describe('of an upload that is complete, with another digest', () => {
        const completeTwo = async () => {
          const [layer, other] = [randomBytes(P), randomBytes(10)];
          const uploadId = await client.begin();
          await sendParts(uploadId, layer);
          await completes(uploadId, layer);
          await pushLayer(other);
          return { uploadId, layer, other };
        };

        it('that is a layer of the repository gets that answer, and not that this upload made it', async () => {
          const { uploadId, layer, other } = await completeTwo();
          for (let time = 0; time < 2; time++) {
            expect(await client.complete(uploadId, digestOf(other))).toMatchObject(
              problem(409, 'LayerAlreadyExistsException'),
            );
          }
          await completes(uploadId, layer);
        });

        it('that was refused before, gets the same answer, and its own digest is still its own', async () => {
          const [layer, other] = [randomBytes(P), randomBytes(10)];
          await pushLayer(other);
          const uploadId = await client.begin();
          await sendParts(uploadId, layer);
          expect((await client.complete(uploadId, digestOf(other))).status).toBe(422);
          await completes(uploadId, layer);
          for (let time = 0; time < 2; time++) {
            expect(await client.complete(uploadId, digestOf(other))).toMatchObject(
              problem(409, 'LayerAlreadyExistsException'),
            );
            await completes(uploadId, layer);
          }
        });

        it('that is no layer gets UploadNotFoundException', async () => {
          const { uploadId } = await completeTwo();
          expect(await client.complete(uploadId, digestOf('another'))).toMatchObject(
            problem(404, 'UploadNotFoundException'),
          );
        });
      });

      it('without a part is refused', async () => {
        expect(await client.complete(await client.begin(), digestOf('x'))).toMatchObject(
          problem(422, 'EmptyUploadException'),
        );
      });

      it.each([100, P, P + 1, 2 * P])(
        'of %i bytes under another digest is refused, and succeeds under its own',
        async (length) => {
          const layer = randomBytes(length);
          const uploadId = await client.begin();
          await sendParts(uploadId, layer);
          expect(await client.complete(uploadId, digestOf('another'))).toMatchObject(
            problem(422, 'InvalidLayerException'),
          );
          await completes(uploadId, layer);
        },
      );

      it('takes any of several digests', async () => {
        const layer = randomBytes(10);
        const uploadId = await client.begin();
        await sendParts(uploadId, layer);
        expect(await client.complete(uploadId, digestOf('another'), digestOf(layer))).toMatchObject({
          status: 201,
          body: { layerDigest: digestOf(layer) },
        });
      });

      it('of parts that were too small for ECR is refused', async () => {
        const layer = randomBytes(2 * P);
        const uploadId = await client.begin();
        await sendParts(uploadId, layer, 0, 1);
        // Sends what waits, so that ECR has a part of 4 MiB that will not be the last.
        await client.complete(uploadId, digestOf('another'));
        await sendParts(uploadId, layer, 1);
        expect(await client.complete(uploadId, digestOf(layer))).toMatchObject(
          problem(422, 'LayerPartTooSmallException'),
        );
      });
    });

    describe('an image', () => {
      const pushImage = async (imageTag?: string) => {
        const config = Buffer.from(JSON.stringify({ salt: digestOf(randomBytes(8)) }));
        const layer = randomBytes(2_000);
        await pushLayer(config);
        await pushLayer(layer);
        const imageManifest = manifestOf(config, [layer]);
        const answer = await client.putImage({
          imageManifest,
          imageManifestMediaType: ociManifest,
          imageTag,
        });
        return { imageManifest, imageDigest: digestOf(imageManifest), answer };
      };

      it('is put with its tag and echoed as ECR does', async () => {
        const { answer, imageManifest, imageDigest } = await pushImage('1.0.0');
        expect(answer).toMatchObject({
          status: 201,
          body: {
            image: {
              repositoryName: 'team-a/app',
              imageId: { imageDigest, imageTag: '1.0.0' },
              imageManifest,
            },
          },
        });
        const pulled = await stored(proxy.ecrUrl, registry, 'manifests/1.0.0');
        expect(pulled.toString()).toBe(imageManifest);
      });

      it('that is there already is refused as such', async () => {
        const { imageManifest } = await pushImage('1.0.1');
        expect(
          await client.putImage({ imageManifest, imageManifestMediaType: ociManifest, imageTag: '1.0.1' }),
        ).toMatchObject(problem(409, 'ImageAlreadyExistsException'));
      });

      it('may not take the tag latest, and the policy says why', async () => {
        const { answer } = await pushImage('latest');
        expect(answer).toMatchObject(problem(403, 'AccessDeniedException', { policies: ['no-latest-tag'] }));
        expect(answer.body.detail).toContain('the tag latest is not allowed');
      });

      it('may not move a tag of a repository with immutable tags', async ({ skip }) => {
        skip(!isPrivate, 'ECR Public has no immutable tags');
        const immutable = as(tokens.a, 'team-a/immutable');
        const push = async (imageTag: string) => {
          const config = randomBytes(100);
          const uploadId = await immutable.begin();
          await immutable.uploadPart(uploadId, 0, config);
          await immutable.complete(uploadId, digestOf(config));
          const imageManifest = manifestOf(config, [config]);
          return immutable.putImage({ imageManifest, imageManifestMediaType: ociManifest, imageTag });
        };
        const imageTag = `v${digestOf(randomBytes(8)).slice(7, 19)}`;
        expect((await push(imageTag)).status).toBe(201);
        expect(await push(imageTag)).toMatchObject(problem(409, 'ImageTagAlreadyExistsException'));
      });

      it('whose layers are not there is refused', async () => {
        const imageManifest = manifestOf(randomBytes(10), [randomBytes(10)]);
        expect(await client.putImage({ imageManifest })).toMatchObject(
          problem(422, 'LayersNotFoundException'),
        );
      });

      it('whose images are not there is refused', async () => {
        expect(await client.putImage({ imageManifest: indexOf('missing') })).toMatchObject(
          problem(422, 'ReferencedImagesNotFoundException'),
        );
      });

      it('under another digest is refused', async () => {
        const { imageManifest } = await pushImage();
        await fetch(`${proxy.ecrUrl}/_requests`, { method: 'DELETE' });
        expect(await client.putImage({ imageManifest, imageDigest: digestOf('another') })).toMatchObject(
          problem(422, 'ImageDigestDoesNotMatchException'),
        );
        expect(await (await fetch(`${proxy.ecrUrl}/_requests`)).json()).toMatchObject({ total: 0 });
      });

      it('that is none is refused before ECR is asked, with what a manifest needs', async () => {
        await fetch(`${proxy.ecrUrl}/_requests`, { method: 'DELETE' });
        expect(
          await client.putImage({ imageManifest: '{}', imageManifestMediaType: ociManifest }),
        ).toMatchObject(
          problem(400, 'InvalidParameterException', {
            invalidMembers: [
              {
                member: 'imageManifest',
                expected: 'an image manifest with what its media type demands at config',
              },
            ],
          }),
        );
        expect(await (await fetch(`${proxy.ecrUrl}/_requests`)).json()).toMatchObject({ total: 0 });
      });
    });

    if (isPrivate) {
      describeReads(() => client, {
        pushOnly: () => as(tokens.pushOnly, 'team-a/app'),
        other: () => as(tokens.b, 'team-a/app'),
        ecrUrl: () => proxy.ecrUrl,
      });
    }

    describe('a client', () => {
      it.each<[string, Record<string, string>]>([
        ['without a token', {}],
        ['with an unknown token', { authorization: 'Bearer eup_team-a-ci_stolen' }],
        ['with a token of no form', { authorization: 'Bearer x' }],
      ])('%s is answered 401 with a challenge', async (_, headers) => {
        const response = await proxy.send(`/${registry}/layer-uploads`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify({ repositoryName: 'team-a/app' }),
        });
        expect(response.status).toBe(401);
        expect(await response.json()).toMatchObject({ code: 'UnrecognizedClientException' });
      });

      it.each([
        [
          'the password of Basic',
          { authorization: `Basic ${Buffer.from(`aws:${tokens.a}`).toString('base64')}` },
        ],
        ['an AWS session token', { 'x-amz-security-token': tokens.a }],
      ])('may send its token as %s', async (_, headers) => {
        const response = await proxy.send(`/${registry}/layer-uploads`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify({ repositoryName: 'team-a/app' }),
        });
        expect(response.status).toBe(201);
      });

      it('learns nothing of a repository that is not its own, and ECR is not asked', async () => {
        await fetch(`${proxy.ecrUrl}/_requests`, { method: 'DELETE' });
        const answers = await Promise.all([
          as(tokens.a, 'team-b/app').initiate(),
          as(tokens.a, 'team-b/none').initiate(),
          as(tokens.a, 'team-b/app').available(digestOf('x')),
          as(tokens.a, 'team-b/app').putImage({ imageManifest: '{}' }),
          as(tokens.a, 'team-b/app').uploadPart(await client.begin(), 0, randomBytes(10)),
          as(tokens.a, 'team-b/app').complete(await client.begin(), digestOf('x')),
        ]);
        for (const answer of answers) {
          expect(answer).toMatchObject(problem(403, 'AccessDeniedException'));
        }
        const details = answers.slice(0, 2).map(({ body }) => String(body.detail).replace('none', 'app'));
        expect(details[0]).toBe(details[1]);
        const asked: unknown = await (await fetch(`${proxy.ecrUrl}/_requests`)).json();
        expect(asked).toMatchObject({ operations: { [`${registry}:InitiateLayerUpload`]: 2 }, total: 2 });
      });

      it.each<[string, (id: string) => string]>([
        ['another client’s upload id', (id) => id],
        ['an upload id without its seal', (id) => id.slice(0, 36)],
        ['an upload id with another seal', (id) => `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`],
        ['an invented upload id', () => 'x'],
      ])('is answered 404 with %s', async (_, change) => {
        const uploadId = change(await client.begin());
        const other = as(tokens.b, 'team-b/app');
        expect(await other.uploadPart(uploadId, 0, randomBytes(10))).toMatchObject(
          problem(404, 'UploadNotFoundException'),
        );
        expect(await other.complete(uploadId, digestOf('x'))).toMatchObject(
          problem(404, 'UploadNotFoundException'),
        );
      });

      it('cannot use an upload id of its own in another repository', async () => {
        const uploadId = await client.begin();
        expect(await as(tokens.a, 'team-a/big').uploadPart(uploadId, 0, randomBytes(10))).toMatchObject(
          problem(404, 'UploadNotFoundException'),
        );
      });

      it('may not push to the registry of another account, nor of an alias', async () => {
        for (const registryId of registry === 'ecr' ? ['999999999999'] : ['999999999999', 'a1b2c3d4']) {
          expect(await as(tokens.a, 'team-a/app').initiate({ registryId })).toMatchObject(
            problem(403, 'AccessDeniedException', { policies: [] }),
          );
        }
      });

      it('learns that a repository of its own namespace does not exist', async () => {
        expect(await as(tokens.a, 'team-a/none').initiate()).toMatchObject(
          problem(404, 'RepositoryNotFoundException'),
        );
      });

      it('may not send a layer over 2 GiB', async () => {
        const uploadId = await client.begin();
        expect(await client.uploadPart(uploadId, 512 * P, randomBytes(1))).toMatchObject(
          problem(403, 'AccessDeniedException', { policies: ['layers-up-to-2-gib'] }),
        );
      });
    });

    describe('a request', () => {
      it('is refused 400 with every member that is wrong', async () => {
        expect(
          await client.initiate({ repositoryName: 'UPPER', registryId: '1', colour: 'red' }),
        ).toMatchObject(
          problem(400, 'InvalidParameterException', {
            invalidMembers: [{ member: 'registryId' }, { member: 'repositoryName' }, { member: 'colour' }],
          }),
        );
      });

      it('of malformed JSON is refused 400', async () => {
        const response = await proxy.send(`/${registry}/layer-uploads`, {
          method: 'POST',
          headers: { authorization: `Bearer ${tokens.a}`, 'content-type': 'application/json' },
          body: '{"repositoryName":',
        });
        expect(response.status).toBe(400);
        expect(response.headers.get('content-type')).toBe('application/problem+json');
      });

      it('of another content type is refused 415, naming what is taken', async () => {
        const response = await proxy.send(`/${registry}/layer-uploads`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${tokens.a}`,
            'content-type': 'application/x-www-form-urlencoded',
          },
          body: 'repositoryName=team-a/app',
        });
        expect(response.status).toBe(415);
        expect(await response.json()).toMatchObject({ detail: 'Send Content-Type: application/json.' });
      });

      it('with a body larger than a part is refused 413', async () => {
        const uploadId = await client.begin();
        const repository = { registryId: '123456789012', repositoryName: 'team-a/app' };
        const tooLarge = problem(413, 'RequestEntityTooLargeException', { ...repository, uploadId });
        const first = await client.uploadPart(uploadId, 0, randomBytes(P + 1));
        expect(first).toMatchObject(tooLarge);
        expect(first.body).not.toHaveProperty('lastValidByteReceived');
        await sendParts(uploadId, randomBytes(P));
        const { body } = await client.uploadPart(uploadId, P, randomBytes(P + 1));
        expect(body).toMatchObject({ ...tooLarge.body, lastValidByteReceived: P - 1 });
      });

      it.each([
        ['more', 4],
        ['fewer', -3],
      ])('of a part whose positions are those of %s bytes is refused as by ECR', async (_, more) => {
        const uploadId = await client.begin();
        const bytes = randomBytes(10);
        await sendParts(uploadId, randomBytes(P));
        position(P - 1)(await client.uploadPart(uploadId, P, bytes, P + 9 + more));
        expect((await client.uploadPart(uploadId, P, bytes)).status).toBe(200);
      });

      it('of a part whose last position is before its first is refused: as by ECR in JSON, as no Content-Range at raw bytes', async () => {
        const uploadId = await client.begin();
        const bytes = randomBytes(10);
        await sendParts(uploadId, randomBytes(P));
        position(P - 1)(
          await client.json('PUT', `/layer-uploads/${uploadId}/parts`, {
            repositoryName: 'team-a/app',
            partFirstByte: P,
            partLastByte: P - 6,
            layerPartBlob: bytes.toString('base64'),
          }),
        );
        expect(await client.uploadPart(uploadId, P, bytes, P - 6)).toMatchObject(
          problem(400, 'InvalidParameterException', { invalidMembers: [{ member: 'Content-Range' }] }),
        );
        expect((await client.uploadPart(uploadId, P, bytes)).status).toBe(200);
      });
    });

    describe('when ECR', () => {
      it.each(['drop-before', 'drop-after'])(
        'breaks off once at each call (%s), the push goes on',
        async (fault) => {
          for (const operation of [
            'InitiateLayerUpload',
            'UploadLayerPart',
            'CompleteLayerUpload',
            'PutImage',
          ]) {
            await proxy.arm({ operation, fault });
          }
          const layer = randomBytes(2 * P + 11);
          await pushLayer(layer);
          const imageManifest = manifestOf(layer, [layer]);
          expect(await client.putImage({ imageManifest })).toMatchObject({
            status: 201,
            body: {
              image: {
                imageId: { imageDigest: digestOf(imageManifest) },
                imageManifestMediaType: JSON.parse(imageManifest).mediaType,
              },
            },
          });
        },
      );

      it.each<[string, number, string, boolean]>([
        ['throttle', 429, 'ThrottlingException', true],
        ['limit', 429, 'LimitExceededException', false],
        ['server-error', 502, 'ServerException', true],
        isPrivate
          ? ['kms-error', 502, 'KmsException', false]
          : ['unsupported', 501, 'UnsupportedCommandException', false],
        ['access-denied', 502, 'UpstreamRefusedException', false],
        ['drop-before', 503, 'ServiceUnavailableException', true],
        ['drop-after', 200, '', false],
      ])('keeps failing (%s), a part is answered %i %s', async (fault, status, code, retryAfter) => {
        const uploadId = await client.begin();
        await proxy.arm({
          operation: 'UploadLayerPart',
          fault,
          times: fault === 'drop-after' ? 1 : 9,
        });
        const answer = await client.uploadPart(uploadId, 0, randomBytes(10));
        expect(answer.status).toBe(status);
        expect(answer.body.code ?? '').toBe(code);
        expect(answer.headers.has('retry-after')).toBe(retryAfter);
        expect(JSON.stringify(answer.body)).not.toMatch(/not authorized|internal error|Rate exceeded/);
      });

      it('loses the answers to both attempts of a part, the client may send it again', async () => {
        const layer = randomBytes(2 * P);
        const uploadId = await client.begin();
        await sendParts(uploadId, layer, 0, 1);
        await proxy.arm({ operation: 'UploadLayerPart', fault: 'drop-after', times: 2 });
        expect((await client.uploadNth(uploadId, layer, 1)).status).toBe(503);
        await sendParts(uploadId, layer, 1);
        await completes(uploadId, layer);
      });

      it('loses the answers to both attempts of a completion, the client may send it again', async () => {
        const layer = randomBytes(P);
        const uploadId = await client.begin();
        await sendParts(uploadId, layer);
        await proxy.arm({ operation: 'CompleteLayerUpload', fault: 'drop-after', times: 2 });
        expect((await client.complete(uploadId, digestOf(layer))).status).toBe(503);
        await completes(uploadId, layer);
      });

      it('never hears of a completion, another that succeeds is the one that may be sent again', async () => {
        const [layer, other] = [randomBytes(P), randomBytes(10)];
        await pushLayer(other);
        const uploadId = await client.begin();
        await sendParts(uploadId, layer);
        await proxy.arm({ operation: 'CompleteLayerUpload', fault: 'drop-before', times: 2 });
        expect((await client.complete(uploadId, digestOf(other))).status).toBe(503);
        await completes(uploadId, layer);
        expect((await client.complete(uploadId, digestOf(other))).status).toBe(409);
        await completes(uploadId, layer);
      });
    });
  });
}

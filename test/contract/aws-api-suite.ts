// What holds of the AWS API for any AWS client: one suite, run with every client and both registries.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { partSize as P } from '../../api/limits.ts';
import type { Registry } from '../../api/registries.ts';
import { expiredToken, startAwsApi } from '../support/aws-api.ts';
import { type AwsClient, clientEnvironment, type Members, type StartClient } from '../support/aws-client.ts';
import type { LocalStack } from '../support/local-stack.ts';
import { indexOf, manifestOf, ociManifest } from '../support/manifests.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { tokens } from '../support/resource-api.ts';
import { stored } from '../support/stored.ts';

const repositoryName = 'team-a/app';

const partsOf = (layer: Uint8Array, partSize: number, from = 0): Members[] =>
  Array.from({ length: Math.ceil((layer.length - from) / partSize) }, (_, index) => {
    const first = from + index * partSize;
    const layerPartBlob = layer.subarray(first, first + partSize);
    return { partFirstByte: first, partLastByte: first + layerPartBlob.length - 1, layerPartBlob };
  });

/** A client of the suite in the words of ECR, for one repository. */
function speak(client: AwsClient, registry: Registry) {
  const call = (operation: string, members: Members = {}) =>
    client.call(registry, operation, { repositoryName, ...members });
  const succeed = async (operation: string, members: Members = {}) => {
    const { output, failure } = await call(operation, members);
    if (failure) {
      throw new Error(`${operation}: ${failure.code}: ${failure.message}`);
    }
    return output ?? {};
  };
  const fail = async (operation: string, members: Members = {}) => {
    const { failure } = await call(operation, members);
    if (!failure) {
      throw new Error(`${operation} succeeded`);
    }
    return failure;
  };
  const begin = async (members: Members = {}) =>
    String((await succeed('InitiateLayerUpload', members)).uploadId);
  const send = async (uploadId: string, parts: readonly Members[]) => {
    for (const part of parts) {
      await succeed('UploadLayerPart', { uploadId, ...part });
    }
  };
  const complete = (uploadId: string, layer: Uint8Array) =>
    succeed('CompleteLayerUpload', { uploadId, layerDigests: [digestOf(layer)] });
  const pushLayer = async (layer: Buffer) => {
    const uploadId = await begin();
    await send(uploadId, partsOf(layer, P));
    return complete(uploadId, layer);
  };
  const pushImage = async (members: Members = {}) => {
    const layer = randomBytes(500);
    await pushLayer(layer);
    const imageManifest = manifestOf(layer, [layer]);
    const put = { imageManifest, imageManifestMediaType: ociManifest, ...members };
    return { imageManifest, image: await succeed('PutImage', put) };
  };
  /** Without members. */
  const ask = async (operation: string) => (await client.call(registry, operation)).failure;
  return { ask, call, succeed, fail, begin, send, complete, pushLayer, pushImage };
}

type Ecr = ReturnType<typeof speak>;

/** What provokes each exception of ECR's model; a fault, where no request can. */
type Provocation = { only?: Registry; fault?: string; call: (ecr: Ecr) => Promise<object> };

const initiate = (ecr: Ecr, members: Members = {}) => ecr.fail('InitiateLayerUpload', members);

const provocations: Readonly<Record<string, Provocation>> = {
  InvalidParameterException: { call: (ecr) => initiate(ecr, { repositoryName: 'team-a//app' }) },
  RepositoryNotFoundException: { call: (ecr) => initiate(ecr, { repositoryName: 'team-a/none' }) },
  RegistryNotFoundException: { only: 'ecr-public', fault: 'no-registry', call: initiate },
  UnsupportedCommandException: { only: 'ecr-public', fault: 'unsupported', call: initiate },
  KmsException: { only: 'ecr', fault: 'kms-error', call: initiate },
  ServerException: { fault: 'server-error', call: initiate },
  UploadNotFoundException: {
    call: (ecr) => ecr.fail('CompleteLayerUpload', { uploadId: 'none', layerDigests: [digestOf('x')] }),
  },
  InvalidLayerPartException: {
    call: async (ecr) => {
      const uploadId = await ecr.begin();
      return ecr.fail('UploadLayerPart', { uploadId, ...partsOf(randomBytes(P + 9), P)[1] });
    },
  },
  EmptyUploadException: {
    call: async (ecr) =>
      ecr.fail('CompleteLayerUpload', { uploadId: await ecr.begin(), layerDigests: [digestOf('x')] }),
  },
  InvalidLayerException: {
    call: async (ecr) => {
      const uploadId = await ecr.begin();
      await ecr.send(uploadId, partsOf(randomBytes(9), P));
      return ecr.fail('CompleteLayerUpload', { uploadId, layerDigests: [digestOf('another')] });
    },
  },
  LayerPartTooSmallException: {
    call: async (ecr) => {
      const layer = randomBytes(P + 9);
      const [first = {}, last = {}] = partsOf(layer, P);
      const uploadId = await ecr.begin();
      await ecr.send(uploadId, [first]);
      // Makes the proxy send what waits, a part that is too small unless it is the last.
      await ecr.fail('CompleteLayerUpload', { uploadId, layerDigests: [digestOf('another')] });
      await ecr.send(uploadId, [last]);
      return ecr.fail('CompleteLayerUpload', { uploadId, layerDigests: [digestOf(layer)] });
    },
  },
  LayerAlreadyExistsException: {
    call: async (ecr) => {
      const layer = randomBytes(9);
      await ecr.pushLayer(layer);
      const uploadId = await ecr.begin();
      await ecr.send(uploadId, partsOf(layer, P));
      return ecr.fail('CompleteLayerUpload', { uploadId, layerDigests: [digestOf(layer)] });
    },
  },
  ImageAlreadyExistsException: {
    call: async (ecr) => {
      const { imageManifest } = await ecr.pushImage({ imageTag: 'once' });
      return ecr.fail('PutImage', { imageManifest, imageTag: 'once' });
    },
  },
  ImageTagAlreadyExistsException: {
    only: 'ecr',
    call: async (ecr) => {
      const frozen = { repositoryName: 'team-a/immutable' };
      const layer = randomBytes(9);
      const uploadId = await ecr.begin(frozen);
      await ecr.succeed('UploadLayerPart', { ...frozen, uploadId, ...partsOf(layer, P)[0] });
      await ecr.succeed('CompleteLayerUpload', { ...frozen, uploadId, layerDigests: [digestOf(layer)] });
      const imageManifest = manifestOf(layer, [layer]);
      const imageTag = `t${digestOf(layer).slice(7, 19)}`;
      await ecr.succeed('PutImage', { ...frozen, imageManifest, imageTag });
      return ecr.fail('PutImage', { ...frozen, imageManifest: manifestOf(layer, [layer, layer]), imageTag });
    },
  },
  ImageDigestDoesNotMatchException: {
    call: async (ecr) => {
      const { imageManifest } = await ecr.pushImage();
      return ecr.fail('PutImage', { imageManifest, imageDigest: digestOf('another') });
    },
  },
  LayersNotFoundException: {
    call: (ecr) => ecr.fail('PutImage', { imageManifest: manifestOf(randomBytes(9), [randomBytes(9)]) }),
  },
  LayerInaccessibleException: {
    only: 'ecr',
    call: async (ecr) => {
      const layer = randomBytes(9);
      await ecr.pushLayer(layer);
      return ecr.fail('GetDownloadUrlForLayer', { layerDigest: digestOf(layer) });
    },
  },
  ReferencedImagesNotFoundException: {
    call: (ecr) =>
      ecr.fail('PutImage', {
        imageManifest: indexOf('missing'),
      }),
  },
};

type Client = {
  name: string;
  start: StartClient;
  registries: readonly Registry[];
  /** Environments that change how the client sends again what failed; by default its own way. */
  retryModes?: readonly string[];
};

export function describeAwsApi({ name, start, registries, retryModes = [''] }: Client): void {
  describe(`the AWS API with ${name}`, () => {
    let proxy: LocalStack;
    let started: AwsClient[] = [];

    const open = async (registry: Registry, token: string | undefined, environment: object = {}) => {
      const client = await start({ ...clientEnvironment(proxy.proxyUrl, token), ...environment });
      started.push(client);
      return speak(client, registry);
    };

    const startProxy = async () => {
      proxy = await startAwsApi();
    };
    const closeProxy = async () => {
      for (const client of started) {
        await client.close();
      }
      started = [];
      await proxy?.close();
    };
    afterEach(async () => {
      await proxy.disarm();
      await proxy.disarmGateway();
    });

    const pulled = (registry: Registry, path: string) => stored(proxy.ecrUrl, registry, path);

    describe.each(registries)('for %s', (registry) => {
      let ecr: Ecr;
      /** Takes the first answer for the last, so that no fault is slept away. */
      let once: Ecr;
      beforeAll(async () => {
        await startProxy();
        ecr = await open(registry, tokens.a);
        once = await open(registry, tokens.a, { AWS_MAX_ATTEMPTS: '1' });
      });
      afterAll(closeProxy);

      const arrives = async (layer: Buffer) =>
        expect(Buffer.compare(await pulled(registry, `blobs/${digestOf(layer)}`), layer)).toBe(0);

      it('pushes a layer of several pairs and an image, and each answer has ECR’s members', async () => {
        const layer = randomBytes(4 * P + 7);
        const layerDigest = digestOf(layer);
        const { uploadId, partSize, ...rest } = await ecr.succeed('InitiateLayerUpload');
        expect([partSize, rest]).toEqual([P, expect.not.objectContaining({ repositoryName })]);
        const repository = { registryId: '123456789012', repositoryName };
        for (const part of partsOf(layer, P)) {
          const output = await ecr.succeed('UploadLayerPart', { uploadId: String(uploadId), ...part });
          expect(output).toMatchObject({ ...repository, uploadId, lastByteReceived: part.partLastByte });
        }
        expect(await ecr.complete(String(uploadId), layer)).toMatchObject({
          ...repository,
          uploadId,
          layerDigest,
        });
        await arrives(layer);

        const available = await ecr.succeed('BatchCheckLayerAvailability', {
          layerDigests: [layerDigest, digestOf('absent')],
        });
        expect(available.layers).toContainEqual(
          expect.objectContaining({ layerDigest, layerAvailability: 'AVAILABLE', layerSize: layer.length }),
        );

        const imageManifest = manifestOf(layer, [layer]);
        const imageDigest = digestOf(imageManifest);
        const put = { imageManifest, imageManifestMediaType: ociManifest, imageTag: '1.0', imageDigest };
        expect(await ecr.succeed('PutImage', put)).toMatchObject({
          image: { ...repository, imageId: { imageDigest, imageTag: '1.0' }, imageManifest },
        });
        expect((await pulled(registry, 'manifests/1.0')).toString()).toBe(imageManifest);
      });

      it.runIf(registry === 'ecr')('reads back what it has pushed', async () => {
        const { imageManifest } = await ecr.pushImage({ imageTag: 'read' });
        const imageDigest = digestOf(imageManifest);
        const subject = { mediaType: ociManifest, digest: imageDigest, size: imageManifest.length };
        const layer = randomBytes(100);
        await ecr.pushLayer(layer);
        await ecr.succeed('PutImage', {
          imageManifest: manifestOf(layer, [layer], { subject, artifactType: 'test/signature' }),
        });

        const imageIds = [{ imageTag: 'read' }, { imageDigest: digestOf('absent') }];
        expect(await ecr.succeed('BatchGetImage', { imageIds })).toMatchObject({
          images: [{ imageId: { imageDigest, imageTag: 'read' }, imageManifest }],
          failures: [{ imageId: imageIds[1], failureCode: 'ImageNotFound' }],
        });
        const { imageIds: listed } = await ecr.succeed('ListImages', { maxResults: 1_000 });
        expect(listed).toContainEqual(expect.objectContaining({ imageDigest, imageTag: 'read' }));
        const { nextToken } = await ecr.succeed('ListImages', { maxResults: 1 });
        expect(
          await ecr.succeed('ListImages', { maxResults: 1, nextToken: String(nextToken) }),
        ).toMatchObject({
          imageIds: [{}],
        });
        const filter = { artifactTypes: ['test/signature'] };
        expect(await ecr.succeed('ListImageReferrers', { subjectId: { imageDigest }, filter })).toMatchObject(
          {
            referrers: [{ artifactType: 'test/signature', mediaType: ociManifest }],
          },
        );
        const { downloadUrl } = await ecr.succeed('GetDownloadUrlForLayer', { layerDigest: digestOf(layer) });
        const answer = await fetch(String(downloadUrl));
        expect(Buffer.compare(Buffer.from(await answer.arrayBuffer()), layer)).toBe(0);
      });

      it.runIf(registry === 'ecr')('that may push alone reads nothing', async () => {
        const device = await open(registry, tokens.pushOnly);
        const imageIds = [{ imageTag: 'read' }];
        expect(await device.fail('BatchGetImage', { imageIds })).toMatchObject({
          code: 'AccessDeniedException',
        });
      });

      const reachable = Object.entries(provocations).filter(([, { only = registry }]) => only === registry);

      it.each(reachable)('meets %s as its own class', async (code, { fault, call }) => {
        if (fault) {
          await proxy.arm({ fault, times: 3 });
        }
        const failure = await call(once);
        expect(failure).toMatchObject({ code, message: expect.stringMatching(/\w+ \w+/) });
        expect('typed' in failure ? failure.typed : true).toBe(true);
      });

      // API Gateway answers before it is known for which registry.
      if (registry === registries[0]) {
        it.each([
          ['ACCESS_DENIED', 'AccessDeniedException', 'network'],
          ['DEFAULT_5XX', 'ServiceUnavailableException', 'ended without an answer'],
          ['INTEGRATION_TIMEOUT', 'GatewayTimeoutException', 'in time|in the meantime'],
          ['THROTTLED', 'ThrottlingException', 'All clients of this proxy together'],
        ] as const)('meets API Gateway’s own %s as %s', async (responseType, code, words) => {
          await proxy.armGateway({ responseType, times: 3 });
          expect(await initiate(once)).toMatchObject({ code, message: expect.stringMatching(words) });
        });

        it('sends again what API Gateway throttles', async () => {
          await proxy.armGateway({ responseType: 'THROTTLED' });
          expect(await ecr.begin()).toMatch(/\w/);
        });

        it('gets an error with the partSize, of the class for parts, when it slices to ECR’s own 5 MiB', async () => {
          const uploadId = await ecr.begin();
          const [part] = partsOf(randomBytes(5 * 1_048_576), 5 * 1_048_576);
          const failure = await ecr.fail('UploadLayerPart', { uploadId, ...part });
          expect(failure).toMatchObject({
            code: 'InvalidLayerPartException',
            message: expect.stringContaining(`partSize that InitiateLayerUpload answered (${P} bytes)`),
          });
          expect('typed' in failure ? failure.typed : true).toBe(true);
        });
      }

      it('gets the position to resume at after a part that was not the next, and resumes there', async () => {
        const layer = randomBytes(3 * P + 5);
        const [, ...later] = partsOf(layer, P);
        const uploadId = await ecr.begin();
        await ecr.send(uploadId, partsOf(layer, P).slice(0, 2));
        const { lastValidByteReceived, message } = await ecr.fail('UploadLayerPart', {
          uploadId,
          ...later[2],
        });
        const last = lastValidByteReceived ?? Number(/ instead of (\d+)/.exec(message)?.[1]) - 1;
        expect(last).toBe(2 * P - 1);
        await ecr.send(uploadId, partsOf(layer, P, last + 1));
        await ecr.complete(uploadId, layer);
        await arrives(layer);
      });

      it('is refused by the policy in readable words', async () => {
        const { imageManifest } = await ecr.pushImage();
        expect(await ecr.fail('PutImage', { imageManifest, imageTag: 'latest' })).toMatchObject({
          code: 'AccessDeniedException',
          message:
            'Forbidden by no-latest-tag: the tag latest is not allowed: push a tag that names a version.',
        });
        expect(await initiate(ecr, { repositoryName: 'team-b/app' })).toMatchObject({
          code: 'AccessDeniedException',
          message: 'No policy lets this client do InitiateLayerUpload in team-b/app.',
        });
        expect(await initiate(ecr, { registryId: '999999999999' })).toMatchObject({
          code: 'AccessDeniedException',
          message: expect.stringContaining('no registry 999999999999'),
        });
      });

      it.each<[string, string | undefined, string]>([
        ['without a token', undefined, 'UnrecognizedClientException'],
        ['with an unknown token', 'eup_team-a-ci_unknown', 'UnrecognizedClientException'],
        ['with an expired token', expiredToken, 'ExpiredTokenException'],
      ])('%s is refused as AWS would', async (_, token, code) => {
        expect(await initiate(await open(registry, token))).toMatchObject({
          code,
          message: expect.stringContaining('as the session token (AWS_SESSION_TOKEN)'),
        });
      });

      it('gets a message what to do instead of GetAuthorizationToken', async () => {
        const failure = await ecr.ask('GetAuthorizationToken');
        expect(failure).toMatchObject({ code: 'UnknownOperationException' });
        expect(failure?.message).toContain('Clients push with their own token');
      });

      it('gets a list of what the proxy offers for any other operation', async () => {
        const failure = await ecr.ask('DescribeRepositories');
        expect(failure).toMatchObject({
          code: 'UnknownOperationException',
          message: expect.stringContaining('offers InitiateLayerUpload, UploadLayerPart'),
        });
      });
    });

    // A function tries a call that breaks off twice, and any other once: the client has to try again.
    describe.each(retryModes)('when every operation fails, %s', (retryMode) => {
      const openInMode = () => open('ecr', tokens.a, retryMode ? { AWS_RETRY_MODE: retryMode } : {});
      beforeAll(startProxy);
      afterAll(closeProxy);

      it('a limit of ECR’s is answered once, and the request not sent again', async () => {
        const ecr = await openInMode();
        const uploadId = await ecr.begin();
        await proxy.arm({ fault: 'limit', operation: 'UploadLayerPart', times: 9 });
        await fetch(`${proxy.ecrUrl}/_requests`, { method: 'DELETE' });
        const part = { uploadId, ...partsOf(randomBytes(9), P)[0] };
        expect(await ecr.fail('UploadLayerPart', part)).toMatchObject({
          code: 'ServiceQuotaExceededException',
          message: 'The operation would exceed a service limit for your account',
        });
        expect(await (await fetch(`${proxy.ecrUrl}/_requests`)).json()).toMatchObject({
          operations: { 'ecr:UploadLayerPart': 1 },
        });
        await proxy.disarm();
      });

      it.each(['drop-before', 'drop-after', 'server-error', 'throttle'])(
        'its own retries lose nothing (%s)',
        async (fault) => {
          const ecr = await openInMode();
          const layer = randomBytes(2 * P + 11);
          const times = fault.startsWith('drop') ? 2 : 1;
          await proxy.arm({ fault, operation: 'InitiateLayerUpload', times });
          await proxy.arm({ fault, operation: 'UploadLayerPart', times });
          await proxy.arm({ fault, operation: 'CompleteLayerUpload', times });
          await ecr.pushLayer(layer);
          await proxy.arm({ fault, operation: 'BatchCheckLayerAvailability', times });
          await proxy.arm({ fault, operation: 'PutImage', times });
          const layerDigests = [digestOf(layer)];
          expect(await ecr.succeed('BatchCheckLayerAvailability', { layerDigests })).toMatchObject({
            layers: [{ layerAvailability: 'AVAILABLE' }],
          });
          const imageManifest = manifestOf(layer, [layer]);
          await ecr.succeed('PutImage', { imageManifest });
          expect(Buffer.compare(await pulled('ecr', `blobs/${digestOf(layer)}`), layer)).toBe(0);
          expect((await pulled('ecr', `manifests/${digestOf(imageManifest)}`)).toString()).toBe(
            imageManifest,
          );
        },
      );
    });
  });
}

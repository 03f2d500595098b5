// forward: which call of which ECR service an operation becomes, what begins an upload, and an image that is put twice.

import { describe, expect, it } from 'vitest';
import { manifestOf } from '../../api/manifest.ts';
import { calls, type Members, type OperationName, operations } from '../../api/operations.ts';
import type { Registry } from '../../api/registries.ts';
import { openSeal } from '../../lambda/upload/seal.ts';
import {
  openForwarding,
  proxyErrorFrom,
  registryId,
  repositoryName,
  serviceError,
} from '../support/forwarding.ts';

const digest = `sha256:${'a'.repeat(64)}`;

/** What every operation's row requires of an answer, and a member that none has. */
const answer = {
  uploadId: '11111111-2222-3333-4444-555555555555',
  lastByteReceived: 2,
  layerDigest: digest,
  layers: [{ layerDigest: digest, layerAvailability: 'AVAILABLE', unknown: 1 }],
  image: { imageId: { imageDigest: digest } },
  images: [{ imageId: { imageDigest: digest, imageTag: 'v1' } }],
  imageIds: [],
  referrers: [],
  downloadUrl: 'https://layers.example/',
};

const imageManifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 2 },
  layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: 3 }],
});
const manifest = manifestOf({ imageManifest });
const imageDigest = 'digest' in manifest ? manifest.digest : '';

/** Those that go to ECR as they came. */
const passed = {
  BatchCheckLayerAvailability: { layerDigests: [digest] },
  BatchGetImage: { imageIds: [{ imageTag: 'v1' }], acceptedMediaTypes: ['a/b'] },
  ListImages: { maxResults: 7, nextToken: 'next' },
  ListImageReferrers: { subjectId: { imageDigest: digest }, maxResults: 7 },
  GetDownloadUrlForLayer: { layerDigest: digest },
} as const;

const isPassed = (name: OperationName): name is keyof typeof passed => Object.hasOwn(passed, name);

describe('each call of an operation that is passed on', () => {
  const rows = calls.flatMap(({ operation, registry }) =>
    isPassed(operation) ? [{ operation, registry, members: passed[operation] }] : [],
  );

  it.each(rows)(
    'is $operation of $registry, of the own account',
    async ({ operation, registry, members }) => {
      const { serve, answers, sent, measured, abortSignal } = openForwarding();
      answers.set(operation, answer);
      const parsed = operations[operation].input(registry).parse({ repositoryName, ...members });
      const output = await serve({ operation, registry, members: parsed });
      expect(output).toEqual(operations[operation].output.parse(answer));
      expect(sent).toEqual([
        { name: operation, abortSignal, input: { registryId, repositoryName, ...members } },
      ]);
      expect(measured).toEqual([`${registry}:${operation}`]);
    },
  );

  it.each(rows)(
    'is $operation of $registry, of the account it names',
    async ({ operation, registry, members }) => {
      const { serve, answers, sent } = openForwarding();
      answers.set(operation, answer);
      const named = registry === 'ecr' ? registryId : 'alias';
      const parsed = operations[operation]
        .input(registry)
        .parse({ repositoryName, registryId: named, ...members });
      await serve({ operation, registry, members: parsed });
      expect(sent[0]?.input).toMatchObject({ registryId: named });
    },
  );

  it('fails where ECR’s answer lacks what a client needs, and says to nobody what it was', async () => {
    const { serve, answers } = openForwarding();
    answers.set('GetDownloadUrlForLayer', { layerDigest: digest });
    const members = { repositoryName, layerDigest: digest };
    expect(
      await proxyErrorFrom(serve({ operation: 'GetDownloadUrlForLayer', registry: 'ecr', members })),
    ).toMatchObject({ code: 'ServerException', cause: expect.any(Error) });
  });
});

describe.each<Registry>(['ecr', 'ecr-public'])('an upload of %s', (registry) => {
  const members = { repositoryName };
  const named = registry === 'ecr' ? registryId : 'alias';

  it('begins with ECR’s id, sealed, and with the proxy’s own part size', async () => {
    const { serve, answers, sent, measured, abortSignal } = openForwarding();
    answers.set('InitiateLayerUpload', { ...answer, partSize: 10 });
    const { uploadId, partSize } = await serve({ operation: 'InitiateLayerUpload', registry, members });
    expect(partSize).toBe(4_194_304);
    const principal = { type: 'Client', id: 'owner' } as const;
    const sealed = openSeal(['s'.repeat(32)], uploadId, { principal, registry, registryId, repositoryName });
    expect(sealed).toEqual({ uploadId: answer.uploadId, sending: { pairsOf: 4_194_304 } });
    expect(sent).toEqual([
      { name: 'InitiateLayerUpload', abortSignal, input: { registryId, repositoryName } },
    ]);
    expect(measured).toEqual([`${registry}:InitiateLayerUpload`]);
  });

  it('whose parts go up directly says so in its id, and promises ECR’s part size', async () => {
    const { serve, answers, sent } = openForwarding();
    answers.set('InitiateLayerUpload', answer);
    const input = { ...members, registryId: named };
    const begun = await serve({
      operation: 'InitiateLayerUpload',
      registry,
      sending: 'direct',
      members: input,
    });
    expect(begun.partSize).toBe(10_485_760);
    expect(begun.uploadId).toMatch(/-0-[0-9a-f]{32}$/);
    expect(sent[0]?.input).toEqual({ registryId: named, repositoryName });
  });

  it.each([{}, { uploadId: '' }])('does not begin where ECR answers %j', async (answered) => {
    const { serve, answers } = openForwarding();
    answers.set('InitiateLayerUpload', answered);
    const begun = serve({ operation: 'InitiateLayerUpload', registry, members });
    expect((await proxyErrorFrom(begun)).code).toBe('ServerException');
  });

  it('has its parts and its completion sent to this service', async () => {
    const upload = openForwarding({ layerBytes: 3 });
    const { serve, answers, measured, sent } = upload;
    answers.set('InitiateLayerUpload', answer);
    answers.set('UploadLayerPart', answer);
    answers.set('CompleteLayerUpload', answer);
    const { uploadId } = await serve({ operation: 'InitiateLayerUpload', registry, members });
    const part = { partFirstByte: 0, partLastByte: 2, layerPartBlob: new Uint8Array(3) };
    await serve({ operation: 'UploadLayerPart', registry, members: { ...members, uploadId, ...part } });
    await serve({
      ...{ operation: 'CompleteLayerUpload', registry },
      members: { ...members, uploadId, layerDigests: [digest] },
    });
    const asked = ['InitiateLayerUpload', 'UploadLayerPart', 'CompleteLayerUpload'];
    expect(sent.map(({ name }) => name).filter((name) => Object.hasOwn(operations, name))).toEqual(asked);
    expect(measured.filter((name) => !name.startsWith('s3:'))).toEqual(
      asked.map((name) => `${registry}:${name}`),
    );
  });
});

describe.each<Registry>(['ecr', 'ecr-public'])('an image of %s', (registry) => {
  const put = (
    { serve }: ReturnType<typeof openForwarding>,
    more: Partial<Members<'PutImage'>> = {},
    isRepeated = false,
  ) =>
    serve<'PutImage'>({
      ...{ operation: 'PutImage', registry, isRepeated },
      members: { repositoryName, imageManifest, imageTag: 'v1', ...more },
    });

  const exists = (attempts = 1) => serviceError('ImageAlreadyExistsException', 400, attempts);

  it('goes to ECR as it came, once its usage is counted', async () => {
    const upload = openForwarding();
    const image = { imageId: { imageDigest } };
    upload.answers.set('PutImage', { ...answer, image });
    expect(await put(upload, { imageDigest })).toEqual({ image });
    const { abortSignal, tellNearlyUsed } = upload;
    expect(upload.sent).toEqual([
      {
        ...{ name: 'PutImage', abortSignal },
        input: { registryId, repositoryName, imageManifest, imageTag: 'v1', imageDigest },
      },
    ]);
    expect(upload.measured).toEqual([`${registry}:PutImage`]);
    expect(upload.charge.mock.calls[0]?.[2]).toEqual({ abortSignal, tellNearlyUsed });
  });

  it('is not put when a quota is used up', async () => {
    const upload = openForwarding();
    upload.charge.mockRejectedValue(new Error('used up'));
    await expect(put(upload)).rejects.toThrow('used up');
    expect(upload.sent).toEqual([]);
  });

  it('is refused, with what is wrong, before it is counted', async () => {
    const upload = openForwarding();
    expect(await proxyErrorFrom(put(upload, { imageManifest: '{}' }))).toMatchObject({
      code: 'InvalidParameterException',
      message: expect.stringMatching(/imageManifest.*an image manifest with /),
    });
    expect(await proxyErrorFrom(put(upload, { imageDigest: digest }))).toMatchObject({
      code: 'ImageDigestDoesNotMatchException',
      message: `The manifest has the digest ${imageDigest}, and imageDigest is ${digest}.`,
    });
    expect(upload.charge).not.toHaveBeenCalled();
    expect(upload.sent).toEqual([]);
  });

  it.each([
    ['the client says that it is repeated', 1, true],
    ['the SDK has sent it twice', 2, false],
  ])('that is there already succeeds where %s', async (_, attempts, isRepeated) => {
    const upload = openForwarding();
    upload.fail('PutImage', exists(attempts));
    expect(await put(upload, {}, isRepeated)).toEqual({
      image: {
        ...{ registryId, repositoryName, imageManifest, imageId: { imageDigest, imageTag: 'v1' } },
        imageManifestMediaType: 'application/vnd.oci.image.manifest.v1+json',
      },
    });
  });

  it('that is there already is refused otherwise', async () => {
    const upload = openForwarding();
    const error = exists();
    upload.fail('PutImage', error);
    await expect(put(upload)).rejects.toBe(error);
  });

  it('fails as ECR does, repeated or not', async () => {
    const upload = openForwarding();
    const error = serviceError('LayersNotFoundException', 400, 2);
    upload.fail('PutImage', error);
    await expect(put(upload, {}, true)).rejects.toBe(error);
  });
});

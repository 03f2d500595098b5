// What ECR answers with success and what is no answer: each operation through the SDK, as its wire has it.

import { ECRClient } from '@aws-sdk/client-ecr';
import { describe, expect, it } from 'vitest';
import { sha256Of } from '../../api/digest.ts';
import { type OperationName, operationNames } from '../../api/operations.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { privateEcr } from '../../lambda/upload/ecr.ts';
import { manifestOf } from '../support/manifests.ts';

const digest = sha256Of('x');
const other = sha256Of('y');
const repositoryName = 'team-a/app';
const imageManifest = manifestOf(Buffer.from('x'), [Buffer.from('x')]);
const imageDigest = sha256Of(imageManifest);
const uploadId = '11111111-2222-3333-4444-555555555555';
const layer = (layerDigest: string) => ({ layerDigest, layerAvailability: 'AVAILABLE' });

/** ECR answers so, and with this body. */
function ecrAnswering(body: unknown) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const client = new ECRClient({
    region: 'local',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
    requestHandler: {
      handle: async () => ({ response: { statusCode: 200, headers: {}, body: Buffer.from(text) } }),
    },
  });
  return privateEcr(client, (_call, send) => send());
}

const never = new AbortController().signal;

type Asked = {
  readonly ask: (ecr: ReturnType<typeof ecrAnswering>) => Promise<unknown>;
  readonly answers: readonly unknown[];
  readonly none: readonly unknown[];
};

const asked: Readonly<Record<OperationName, Asked>> = {
  InitiateLayerUpload: {
    ask: (ecr) => ecr.InitiateLayerUpload({ repositoryName }, never),
    answers: [{ uploadId, partSize: 10 }],
    none: [{ uploadId: '' }, { uploadId: '../x' }, { uploadId: 'a'.repeat(10_000) }, { uploadId: 7 }],
  },
  UploadLayerPart: {
    ask: (ecr) =>
      ecr.UploadLayerPart(
        { repositoryName, uploadId, partFirstByte: 5, partLastByte: 7, layerPartBlob: Buffer.from('abc') },
        never,
      ),
    answers: [{ lastByteReceived: 7 }],
    none: [6, 8, 4, -1, 2 ** 53, '7', null].map((lastByteReceived) => ({ lastByteReceived })),
  },
  CompleteLayerUpload: {
    ask: (ecr) => ecr.CompleteLayerUpload({ repositoryName, uploadId, layerDigests: [digest] }, never),
    answers: [{ layerDigest: digest }, {}],
    none: [{ layerDigest: other }, { layerDigest: 'x' }],
  },
  BatchCheckLayerAvailability: {
    ask: (ecr) => ecr.BatchCheckLayerAvailability({ repositoryName, layerDigests: [digest] }, never),
    answers: [{ layers: [layer(digest)], failures: [] }, { failures: [{ layerDigest: digest }] }],
    none: [{ layers: [layer(other)] }, { layers: [], failures: [] }, { layers: 'x' }],
  },
  PutImage: {
    ask: (ecr) => ecr.PutImage({ repositoryName, imageManifest, imageDigest }, never),
    answers: [{ image: { imageId: { imageDigest } } }, { image: {} }, {}],
    none: [{ image: { imageId: { imageDigest: other } } }],
  },
  BatchGetImage: {
    ask: (ecr) => ecr.BatchGetImage({ repositoryName, imageIds: [{ imageDigest: digest }] }, never),
    answers: [
      { images: [{ imageId: { imageDigest: digest, imageTag: '1.0' }, imageManifest }] },
      { images: [{ imageManifest }] },
      { images: [], failures: [{ failureCode: 'ImageNotFound' }] },
    ],
    none: [{ images: [{ imageId: { imageDigest: other } }] }, { images: [], failures: [] }],
  },
  ListImages: {
    ask: (ecr) => ecr.ListImages({ repositoryName }, never),
    answers: [{ imageIds: [] }],
    none: [{ nextToken: 'x' }],
  },
  ListImageReferrers: {
    ask: (ecr) => ecr.ListImageReferrers({ repositoryName, subjectId: { imageDigest: digest } }, never),
    answers: [{ referrers: [] }],
    none: [{ nextToken: 'x' }],
  },
  GetDownloadUrlForLayer: {
    ask: (ecr) => ecr.GetDownloadUrlForLayer({ repositoryName, layerDigest: digest }, never),
    answers: [{ downloadUrl: 'https://layers.example/', layerDigest: digest }],
    none: [{ downloadUrl: 'https://layers.example/', layerDigest: other }],
  },
};

/** What no answer to any of them looks like; the forms of the last two the table of operations judges. */
const nothing = ['', {}];
const judgedByForm: readonly OperationName[] = ['PutImage', 'CompleteLayerUpload', 'GetDownloadUrlForLayer'];

describe.each(operationNames)('%s', (operation) => {
  const { ask, answers, none } = asked[operation];

  it.each(answers)('takes %j', async (body) => {
    await expect(ask(ecrAnswering(body))).resolves.toBeDefined();
  });

  it.each([...none, ...(judgedByForm.includes(operation) ? [] : nothing)])(
    'does not take %j',
    async (body) => {
      const failure = await ask(ecrAnswering(body)).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(ProxyError);
      expect(failure).toMatchObject({
        code: 'ServerException',
        cause: new Error(`what ECR answers to ${operation} is no answer to what was asked`),
      });
    },
  );
});

describe('the answer to a read by tag', () => {
  it('may be of any digest', async () => {
    const ecr = ecrAnswering({ images: [{ imageId: { imageDigest: other, imageTag: '1.0' } }] });
    const read = ecr.BatchGetImage({ repositoryName, imageIds: [{ imageTag: '1.0' }] }, never);
    await expect(read).resolves.toBeDefined();
  });
});

describe('the answer to an image without imageDigest', () => {
  it('may be of any digest, as moto’s is', async () => {
    const ecr = ecrAnswering({ image: { imageId: { imageDigest: other } } });
    await expect(ecr.PutImage({ repositoryName, imageManifest }, never)).resolves.toBeDefined();
  });
});

describe('the answer to a question about two layers', () => {
  it('may be of the second alone', async () => {
    const layerDigests = [digest, other];
    const ecr = ecrAnswering({ layers: [layer(other)] });
    await expect(
      ecr.BatchCheckLayerAvailability({ repositoryName, layerDigests }, never),
    ).resolves.toBeDefined();
  });
});

describe('what a digest of another kind means', () => {
  it.each([`sha512:${'0'.repeat(128)}`, `sha256:${'0'.repeat(65)}`, `x+sha256:${'0'.repeat(64)}`])(
    'is for ECR to decide: %s',
    async (asked) => {
      const layerDigests = [asked];
      const completed = ecrAnswering({ layerDigest: digest }).CompleteLayerUpload(
        { repositoryName, uploadId, layerDigests },
        never,
      );
      await expect(completed).resolves.toBeDefined();
    },
  );
});

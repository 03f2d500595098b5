// What the bridge reads of ECR through the proxy: as it was pushed, whole, and in words for a proxy that cannot.

import { describe, expect, it } from 'vitest';
import { operations } from '../../api/operations.ts';
import { isoText, readOutput } from '../../api/wire.ts';
import { readManifest, readReferrers, readTags } from '../../client/bridge/reads.ts';
import type { Send } from '../../client/layer-upload.ts';
import { ProxyProblem } from '../../client/problem.ts';
import { digestOf } from '../support/random-bytes.ts';

const destination = { repositoryName: 'team-a/app' };
const ociImage = 'application/vnd.oci.image.manifest.v1+json';
const stored = '{"schemaVersion":2,"layers":[]}';
const digest = digestOf(stored);

/** Answers each call with what is next, whatever the operation's type; the calls are kept. */
function scripted(...answers: unknown[]) {
  const calls: [string, object][] = [];
  const send: Send = async (operation, members) => {
    calls.push([operation, members]);
    const answer = answers.shift();
    if (answer instanceof Error) {
      throw answer;
    }
    return readOutput(operations[operation].output, JSON.stringify(answer), isoText);
  };
  return { calls, send };
}

const imageOf = (imageManifest: string, imageDigest = digest) => ({
  images: [{ imageId: { imageDigest }, imageManifest, imageManifestMediaType: ociImage }],
  failures: [],
});
const failed = (failureCode: string) => ({
  images: [],
  failures: [{ failureCode, failureReason: 'because' }],
});

describe('a manifest', () => {
  const read = (send: Send) => readManifest(send, destination, { tag: '1.0' });

  it('is asked for with every type there is, so that ECR converts none', async () => {
    const { send, calls } = scripted(imageOf(stored));
    expect(await read(send)).toEqual({ digest, mediaType: ociImage, bytes: Buffer.from(stored) });
    expect(calls).toEqual([
      [
        'BatchGetImage',
        expect.objectContaining({
          imageIds: [{ imageTag: '1.0' }],
          acceptedMediaTypes: expect.arrayContaining([ociImage]),
        }),
      ],
    ]);
  });

  it('that was converted all the same is read by its digest', async () => {
    const { send, calls } = scripted(imageOf('{"converted":true}'), imageOf(stored));
    expect((await read(send))?.bytes).toEqual(Buffer.from(stored));
    expect(calls[1]).toMatchObject(['BatchGetImage', { imageIds: [{ imageDigest: digest }] }]);
  });

  it('that ECR never gives as it was pushed is not given at all', async () => {
    const converted = imageOf('{"converted":true}');
    await expect(read(scripted(converted, converted).send)).rejects.toMatchObject({
      code: 'ServerException',
    });
  });

  it.each(['ImageNotFound', 'InvalidImageTag', 'InvalidImageDigest', 'ImageTagDoesNotMatchDigest'])(
    'is not there when ECR says %s',
    async (failure) => {
      expect(await read(scripted(failed(failure)).send)).toBe(undefined);
    },
  );

  it.each([
    ['says nothing of', scripted({ images: [], failures: [] })],
    ['has no text of', scripted({ images: [{ imageId: { imageDigest: digest } }], failures: [] })],
    ['has by a tag, and not by its digest', scripted(imageOf('{"converted":true}'), failed('ImageNotFound'))],
  ])('that ECR %s is no absence', async (_which, { send }) => {
    await expect(read(send)).rejects.toMatchObject({ code: 'ServerException' });
  });

  it('that ECR cannot read is no absence', async () => {
    await expect(read(scripted(failed('KmsError')).send)).rejects.toMatchObject({
      code: 'ServerException',
      message: expect.stringContaining('because'),
    });
  });

  it('is refused by an older proxy in words that say which', async () => {
    const detail = 'the gateway in front of the proxy answers: Missing Authentication Token';
    const unknown = new ProxyProblem({ code: 'UnknownOperationException', detail, retryable: false });
    await expect(read(scripted(unknown).send)).rejects.toMatchObject({
      code: 'UnsupportedCommandException',
      message: expect.stringMatching(/no BatchGetImage.*older than this bridge/),
    });
  });
});

it('tags are read page by page', async () => {
  const { send, calls } = scripted(
    { imageIds: [{ imageTag: 'b' }, {}], nextToken: 'n' },
    { imageIds: [{ imageTag: 'a' }] },
  );
  expect(await readTags(send, destination)).toEqual(['b', 'a']);
  expect(calls[1]).toMatchObject(['ListImages', { nextToken: 'n', filter: { tagStatus: 'TAGGED' } }]);
});

it('referrers are read page by page, those of one type where one is asked for', async () => {
  const referrer = { digest, mediaType: ociImage, size: 1 };
  const { send, calls } = scripted(
    { referrers: [], nextToken: 'n' },
    { referrers: [referrer], nextToken: undefined },
  );
  expect(await readReferrers(send, destination, digest, 'sbom')).toEqual([referrer]);
  expect(calls[1]).toMatchObject([
    'ListImageReferrers',
    { nextToken: 'n', subjectId: { imageDigest: digest }, filter: { artifactTypes: ['sbom'] } },
  ]);
});

it('a list whose pages come again and again is no list', async () => {
  const page = { imageIds: [{ imageTag: '1.0' }], nextToken: 'again' };
  await expect(readTags(scripted(page, page, page).send, destination)).rejects.toMatchObject({
    code: 'ServerException',
  });
  const referrers = { referrers: [], nextToken: 'again' };
  const { send } = scripted(referrers, referrers, referrers);
  await expect(readReferrers(send, destination, digest, undefined)).rejects.toMatchObject({
    code: 'ServerException',
  });
});

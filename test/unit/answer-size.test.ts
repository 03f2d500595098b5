// The largest answer that Lambda returns: what fits is written; what does not is refused with the number that fits.

import { describe, expect, it } from 'vitest';
import { maxResponseBytes } from '../../api/limits.ts';
import { awsApi } from '../../lambda/gateway/aws-api.ts';
import { resourceApi } from '../../lambda/gateway/resource-api.ts';

const apis = { 'the resource API': resourceApi('BatchGetImage'), 'the AWS API': awsApi(['ecr']) };
type ApiName = keyof typeof apis;
const names = Object.keys(apis).filter((name): name is ApiName => name in apis);

const image = (imageManifest: string) => ({ imageId: { imageTag: '1' }, imageManifest });
const output = (manifests: readonly string[]) => ({ images: manifests.map(image), failures: [] });

const write = (name: ApiName, manifests: readonly string[]) =>
  apis[name].writeOutput('BatchGetImage', output(manifests));

/** As Lambda counts it. */
const bytesOf = (result: object) => Buffer.byteLength(JSON.stringify(result));

const refusal = (expected: string, member = 'imageIds') =>
  expect.objectContaining({
    code: 'InvalidParameterException',
    members: { invalidMembers: [{ member, expected }] },
  });

const tooMany = (number: number) =>
  `at most ${number} here: an answer has at most 6291556 bytes, and more of these do not fit`;

const oneTooLarge = 'less: an answer has at most 6291556 bytes, and one of these alone is larger';

describe.each(names)('an answer of %s', (name) => {
  // A quote is four characters there: escaped in the body, and the body in Lambda's result.
  const [first, second] = ['"'.repeat(100_000), 'é'.repeat(100_000)];
  const room = maxResponseBytes - bytesOf(write(name, [first, second, '']));
  const fitting = [first, second, 'x'.repeat(room)];

  it('of exactly the largest size is given', () => {
    expect(bytesOf(write(name, fitting))).toBe(maxResponseBytes);
  });

  it('of a byte more is refused, with the number of images that fit whichever they are', () => {
    expect(() => write(name, [...fitting.slice(0, 2), `${fitting[2]}x`])).toThrow(refusal(tooMany(2)));
  });

  it('says how many of the largest fit, in whatever order they come', () => {
    const [small, large] = ['x'.repeat(100), 'x'.repeat(2_000_000)];
    expect(() => write(name, [small, large, large, small, large, large])).toThrow(refusal(tooMany(3)));
  });

  it('of one image that is too large alone says so', () => {
    expect(() => write(name, ['"'.repeat(1_600_000)])).toThrow(refusal(oneTooLarge));
  });

  it('with failures counts them', () => {
    const failures = [{ imageId: { imageTag: '2' }, failureCode: 'ImageNotFound', failureReason: 'x' }];
    expect(() => apis[name].writeOutput('BatchGetImage', { ...output(fitting), failures })).toThrow(
      refusal(tooMany(2)),
    );
  });

  it('with referrers says how many to ask for', () => {
    const referrer = {
      digest: 'sha256:0',
      mediaType: 'm',
      size: 1,
      annotations: { a: 'x'.repeat(1_000_000) },
    };
    const referrers = Array.from({ length: 20 }, () => referrer);
    expect(() => apis[name].writeOutput('ListImageReferrers', { referrers })).toThrow(
      refusal(tooMany(6), 'maxResults'),
    );
  });
});

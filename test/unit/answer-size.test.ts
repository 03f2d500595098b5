// The largest answer that Lambda hands on: what fits is written, and what does not is refused with the number that fits.

import { describe, expect, it } from 'vitest';
import { maxResponseBytes } from '../../api/limits.ts';
import { awsDoor, resourceDoor } from '../../lambda/doors.ts';

const doors = { 'the resource API': resourceDoor('BatchGetImage'), 'the AWS API': awsDoor(['ecr']) };
type DoorName = keyof typeof doors;
const names = Object.keys(doors).filter((name): name is DoorName => name in doors);

const image = (imageManifest: string) => ({ imageId: { imageTag: '1' }, imageManifest });
const output = (manifests: readonly string[]) => ({ images: manifests.map(image), failures: [] });

const write = (name: DoorName, manifests: readonly string[]) =>
  doors[name].writeOutput('BatchGetImage', output(manifests));

/** As Lambda counts it. */
const bytesOf = (result: object) => Buffer.byteLength(JSON.stringify(result));

const refusal = (expected: string, member = 'imageIds') =>
  expect.objectContaining({
    code: 'InvalidParameterException',
    members: { invalidMembers: [{ member, expected }] },
  });

const tooMany = (number: number) =>
  `${number} at most here: an answer has 6291556 bytes at most, and with more of these it would have more`;

const oneTooLarge = 'what fits: an answer has 6291556 bytes at most, and of these one alone would have more';

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
    expect(() => doors[name].writeOutput('BatchGetImage', { ...output(fitting), failures })).toThrow(
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
    expect(() => doors[name].writeOutput('ListImageReferrers', { referrers })).toThrow(
      refusal(tooMany(6), 'maxResults'),
    );
  });
});

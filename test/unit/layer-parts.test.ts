import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxEcrPartBytes, maxEventBytes, partSize as P } from '../../api/limits.ts';
import {
  countOf,
  describeExpected,
  isAligned,
  isNext,
  isSecondOfPair,
  joins,
  receivedBytes,
  sizeOf,
  waitsForSecond,
} from '../../lambda/upload/layer-parts.ts';

const part = (first: number, size = P) => ({ partFirstByte: first, partLastByte: first + size - 1 });

/** What ECR receives of a layer of `length` bytes, if its parts are taken in order. */
function partsForEcr(length: number): number[] {
  const sent: number[] = [];
  let waiting = 0;
  for (let first = 0; first < length; first += P) {
    const next = part(first, Math.min(P, length - first));
    if (waitsForSecond(next, P)) {
      waiting = P;
    } else {
      sent.push((isSecondOfPair(next, P) ? waiting : 0) + sizeOf(next));
      waiting = 0;
    }
  }
  return waiting > 0 ? [...sent, waiting] : sent;
}

describe('the part size', () => {
  it('fits into a Lambda event in base64 even if every tenth character is escaped twice', () => {
    expect(Math.ceil((Math.ceil(P / 3) * 4 * 11) / 10)).toBeLessThan(maxEventBytes);
  });

  it('makes pairs between ECR’s smallest and largest part', () => {
    expect(2 * P).toBeGreaterThanOrEqual(5 * 1_048_576);
    expect(2 * P).toBeLessThanOrEqual(maxEcrPartBytes);
  });
});

describe('pairing', () => {
  it.each([
    [1, [1]],
    [P - 1, [P - 1]],
    [P, [P]],
    [P + 1, [P + 1]],
    [2 * P - 1, [2 * P - 1]],
    [2 * P, [2 * P]],
    [2 * P + 1, [2 * P, 1]],
    [3 * P, [2 * P, P]],
    [4 * P, [2 * P, 2 * P]],
  ])('sends a layer of %i bytes to ECR in parts of %j', (length, expected) => {
    expect(partsForEcr(length)).toEqual(expected);
  });

  it('gives ECR every byte once, and no part that is not the last under 5 MiB', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 * P }), (length) => {
        const sent = partsForEcr(length);
        expect(sent.reduce((sum, size) => sum + size, 0)).toBe(length);
        for (const size of sent.slice(0, -1)) {
          expect(size).toBe(2 * P);
        }
        expect(sent.at(-1)).toBeLessThanOrEqual(2 * P);
      }),
    );
  });

  it('takes parts only at whole multiples of the part size', () => {
    expect([0, P, 7 * P].map((first) => isAligned(part(first), P))).toEqual([true, true, true]);
    expect([1, P - 1, P + 1].map((first) => isAligned(part(first), P))).toEqual([false, false, false]);
  });

  it('joins only the bytes right before the part', () => {
    expect(joins({ receivedBytes: 0, waitingBytes: P }, part(P))).toBe(true);
    expect(joins({ receivedBytes: 0, waitingBytes: P }, part(3 * P))).toBe(false);
    expect(joins({ receivedBytes: P, waitingBytes: 0 }, part(P))).toBe(false);
  });

  it('knows the first part as next without a slot, and any other only by the slot', () => {
    expect(isNext(undefined, part(0))).toBe(true);
    expect(isNext(undefined, part(2 * P))).toBe(false);
    expect(isNext({ receivedBytes: 2 * P, waitingBytes: 0 }, part(2 * P))).toBe(true);
    expect(isNext({ receivedBytes: 2 * P, waitingBytes: P }, part(2 * P))).toBe(true);
    expect(isNext({ receivedBytes: 2 * P, waitingBytes: P }, part(4 * P))).toBe(false);
  });
});

describe('the position that a client gets', () => {
  it('counts what waits only right behind what ECR has', () => {
    expect(receivedBytes(2 * P, { receivedBytes: 2 * P, waitingBytes: P })).toBe(3 * P);
    expect(receivedBytes(4 * P, { receivedBytes: 2 * P, waitingBytes: P })).toBe(4 * P);
    expect(receivedBytes(4 * P, undefined)).toBe(4 * P);
  });

  it.each([
    [undefined, 0],
    [-1, 0],
    [0, 1],
    [P - 1, P],
  ])('reads ECR’s lastValidByteReceived %s as %i bytes', (last, count) => {
    expect(countOf(last)).toBe(count);
  });

  it('is in ECR’s own sentence, with what to do next', () => {
    expect(describeExpected(part(8 * P), 2 * P, P)).toBe(
      `First byte of the layer part is ${8 * P} instead of ${2 * P}. ` +
        `Send the ${P} bytes from ${2 * P} on; only the last part may be shorter.`,
    );
    expect(describeExpected(part(P), 1_000, P)).toContain('complete the upload, or start a new one');
  });
});

// However a body is cut into chunks and wherever it breaks off, its parts are such as ECR takes, and hold its bytes.

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxEcrPartBytes, minEcrPartBytes } from '../../api/limits.ts';
import { PartBuffers } from '../../registry/hosted/part-buffers.ts';
import { heldBytes, PartCutter } from '../../registry/hosted/part-cutter.ts';
import { fuzzed } from '../support/fuzzing.ts';
import { randomBytes } from '../support/random-bytes.ts';

const longest = 3 * maxEcrPartBytes + minEcrPartBytes;
const bytes = randomBytes(longest);
const sha256 = (part: Uint8Array) => createHash('sha256').update(part).digest('hex');

/** Sizes about which something changes, and any other. */
const sizes = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(0, minEcrPartBytes, maxEcrPartBytes, heldBytes, 2 * maxEcrPartBytes, 25 * 1_048_576),
      fc.integer({ min: -2, max: 2 }),
    )
    .map(([size, off]) => Math.max(0, size + off)),
  fc.integer({ min: 0, max: longest }),
);

/** As they come from a socket, and larger ones. */
const chunkSizes = fc.array(fc.oneof(fc.constant(65_536), fc.integer({ min: 1, max: 17 * 1_048_576 })), {
  minLength: 1,
  maxLength: 5,
});

function* chunksOf(body: Uint8Array, lengths: readonly number[]) {
  for (let at = 0, n = 0; at < body.length; n += 1) {
    const length = lengths[n % lengths.length] ?? 1;
    yield body.subarray(at, at + length);
    at += length;
  }
}

/** Parts are read before the next one is asked for, and their memory is used again, as by whoever sends them. */
function cut(body: Uint8Array, lengths: readonly number[]) {
  const buffers = new PartBuffers();
  const cutter = new PartCutter(buffers);
  const whole = createHash('sha256');
  const parts: number[] = [];
  let mostHeld = 0;
  const send = (part: Buffer) => {
    whole.update(part);
    parts.push(part.length);
    buffers.giveBack(part);
  };
  for (const chunk of chunksOf(body, lengths)) {
    for (const part of cutter.take(chunk)) {
      mostHeld = Math.max(mostHeld, cutter.held + part.length);
      send(part);
    }
    mostHeld = Math.max(mostHeld, cutter.held);
  }
  const full = parts.length;
  // Two parts may be under way at once: neither is given back before the other is read.
  for (const part of [...cutter.end()]) {
    send(part);
  }
  return { parts, full, mostHeld, digest: whole.digest('hex'), held: cutter.held };
}

describe('the parts of a body', () => {
  it('are the same bytes, full ones of 10 MiB, and none too small but where it is all there is', () => {
    fc.assert(
      fc.property(sizes, chunkSizes, (size, lengths) => {
        const body = bytes.subarray(0, size);
        const { parts, full, mostHeld, digest, held } = cut(body, lengths);
        expect(digest).toBe(sha256(body));
        expect(parts.slice(0, full).every((part) => part === maxEcrPartBytes)).toBe(true);
        expect(parts.every((part) => part <= maxEcrPartBytes)).toBe(true);
        expect(parts.every((part) => part >= minEcrPartBytes) || parts.length === 1).toBe(true);
        expect(mostHeld).toBeLessThanOrEqual(heldBytes);
        expect(parts.length - full).toBeLessThanOrEqual(2);
        expect(held).toBe(0);
      }),
      fuzzed(30),
    );
  });

  it('are of the first bytes alone, when what is held is shortened', () => {
    fc.assert(
      fc.property(sizes, sizes, (size, to) => {
        const held = Math.min(size, heldBytes - 1);
        const kept = Math.min(to, held);
        const cutter = new PartCutter(new PartBuffers());
        expect([...cutter.take(bytes.subarray(0, held))]).toEqual([]);
        cutter.shorten(kept);
        const parts = [...cutter.end()];
        expect(sha256(Buffer.concat(parts))).toBe(sha256(bytes.subarray(0, kept)));
        expect(parts.every((part) => part.length >= minEcrPartBytes) || parts.length === 1).toBe(true);
      }),
      fuzzed(30),
    );
  });

  it('leave memory behind that the next ones are gathered in', () => {
    const buffers = new PartBuffers();
    const cutter = new PartCutter(buffers);
    const [first] = cutter.take(bytes.subarray(0, heldBytes));
    if (!first) {
      throw new Error('no part');
    }
    buffers.giveBack(first);
    cutter.shorten(0);
    expect(cutter.held).toBe(0);
    const memory = [buffers.take(), buffers.take(), buffers.take()].map(({ buffer }) => buffer);
    expect(memory.indexOf(first.buffer)).toBeGreaterThanOrEqual(0);
    expect(new Set(memory).size).toBe(3);
  });
});

// What is compressed is unpacked whole, whatever chunks it comes in, or refused: never a part of it.

import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compressionOf, headBytes, unpacked } from '../../client/push/compression.ts';
import { SourceProblem } from '../../client/push/source-problem.ts';
import { compressedLayers, compressedZeros, layer, skippedFrame } from '../support/compressed.ts';
import { fuzzed } from '../support/fuzzing.ts';

async function* inChunks(bytes: Buffer, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    yield bytes.subarray(at, at + chunkBytes);
  }
}

async function unpack(bytes: Buffer, chunkBytes = 65_536): Promise<Buffer> {
  const compression = compressionOf(bytes.subarray(0, headBytes));
  if (!compression) {
    return expect.fail('it is not compressed');
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of unpacked(compression, inChunks(bytes, chunkBytes), 'the layer')) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const kinds = Object.entries(compressedLayers);

describe('what is compressed is unpacked', () => {
  it.each(kinds)('by %s, once and several times, in chunks of any size', async (_, bytes) => {
    for (const chunkBytes of [1, 7, 65_536]) {
      expect((await unpack(bytes, chunkBytes)).toString()).toBe(layer);
      expect((await unpack(Buffer.concat([bytes, bytes, bytes]), chunkBytes)).toString()).toBe(
        layer.repeat(3),
      );
    }
  });

  it.each([
    ['bzip2', compressedZeros.bzip2],
    ['xz', compressedZeros.xz],
  ])('by %s, where little becomes much', async (_, bytes) => {
    expect((await unpack(bytes)).equals(compressedZeros.bytes)).toBe(true);
  });

  it('by zstd, with frames to be skipped before, between and after', async () => {
    const { zstd } = compressedLayers;
    const skipped = skippedFrame('of a tool');
    for (const chunkBytes of [1, 5, 65_536]) {
      expect(
        (
          await unpack(Buffer.concat([skipped, zstd, skipped, skipped, zstd, skipped]), chunkBytes)
        ).toString(),
      ).toBe(layer.repeat(2));
    }
  });

  it('by zstd and gzip, of any content', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 300_000, size: 'max' }), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1_000, max: 70_000 }),
        fc.constantFrom(gzipSync, (bytes: Uint8Array) => zstdCompressSync(bytes)),
        async (contents, chunkBytes, pack) => {
          const packed = Buffer.concat(contents.map((content) => pack(content)));
          expect((await unpack(packed, chunkBytes)).equals(Buffer.concat(contents))).toBe(true);
        },
      ),
      fuzzed(30),
    );
  });
});

describe('what is damaged is refused', () => {
  it.each(kinds)('by %s, wherever it is cut off', async (name, bytes) => {
    const message = `the layer cannot be unpacked: its ${name} data is damaged or cut off`;
    for (let length = headBytes; length < bytes.length; length += 1) {
      await expect(unpack(bytes.subarray(0, length))).rejects.toThrow(new SourceProblem(message));
    }
  });

  it.each(kinds)('by %s, with something behind it', async (_, bytes) => {
    for (const behind of ['garbage!', '\0'.repeat(3)]) {
      await expect(unpack(Buffer.concat([bytes, Buffer.from(behind)]))).rejects.toThrow(SourceProblem);
    }
  });

  it.each(kinds)('by %s, with changed bytes: or else it is what it was', async (_, bytes) => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: bytes.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, change) => {
          const changed = Buffer.from(bytes);
          changed[at] = (changed[at] ?? 0) ^ change;
          const compression = compressionOf(changed.subarray(0, headBytes));
          if (!compression) {
            return;
          }
          const result = await unpack(changed).catch((error: unknown) => error);
          if (!(result instanceof SourceProblem)) {
            expect(result).toBeInstanceOf(Buffer);
          }
        },
      ),
      fuzzed(200),
    );
  });

  it('and a failure to read it is no damage', async () => {
    const failing = async function* () {
      yield compressedLayers.xz.subarray(0, 20);
      throw new RangeError('the disk is gone');
    };
    const reading = async () => {
      for await (const _ of unpacked('xz', failing(), 'the layer')) {
      }
    };
    await expect(reading()).rejects.toThrow(new RangeError('the disk is gone'));
  });
});

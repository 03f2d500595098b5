// Cutting a layer into parts: whatever the chunks and the way back and forth, the bytes are the same.

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { LayerReader, type LayerSource, type Part } from '../../client/layer-reader.ts';
import { PartBuffers } from '../../client/part-buffers.ts';

const layers = fc.record({
  bytes: fc.uint8Array({ maxLength: 400 }),
  partSize: fc.integer({ min: 1, max: 64 }),
  chunkSizes: fc.array(fc.integer({ min: 0, max: 150 }), { minLength: 1, maxLength: 12 }),
});

/** Chunks of the sizes given, over and over; the buffer of each is spoilt once the next is asked for. */
async function* chunksOf(bytes: Uint8Array, sizes: number[]): AsyncGenerator<Uint8Array> {
  const progressing = sizes.some((size) => size > 0) ? sizes : [1];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = progressing[turn % progressing.length] ?? 1;
    const chunk = bytes.slice(at, at + size);
    at += chunk.length;
    yield chunk;
    chunk.fill(0);
  }
}

const replayable =
  (bytes: Uint8Array, sizes: number[]): LayerSource =>
  (fromByte) =>
    chunksOf(bytes.subarray(fromByte), sizes);

async function readToEnd(reader: LayerReader, partSize: number): Promise<Part[]> {
  const parts: Part[] = [];
  for (let part = await reader.next(partSize); part; part = await reader.next(partSize)) {
    parts.push({ ...part, bytes: new Uint8Array(part.bytes) });
  }
  return parts;
}

const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

describe('a layer', () => {
  it('of any length in any chunks gives the same parts', () =>
    fc.assert(
      fc.asyncProperty(layers, async ({ bytes, partSize, chunkSizes }) => {
        const reader = new LayerReader(chunksOf(bytes, chunkSizes));
        const parts = await readToEnd(reader, partSize);
        expect(parts.map(({ firstByte }) => firstByte)).toEqual(
          Array.from({ length: Math.ceil(bytes.length / partSize) }, (_, index) => index * partSize),
        );
        for (const part of parts.slice(0, -1)) {
          expect(part.bytes.length).toBe(partSize);
        }
        expect(Buffer.concat(parts.map((part) => part.bytes)).equals(bytes)).toBe(true);
        expect(reader.position).toBe(bytes.length);
        expect(reader.digest()).toBe(digestOf(bytes));
      }),
    ));

  it('read back and forth, and again, keeps its bytes and its digest', () =>
    fc.assert(
      fc.asyncProperty(
        layers,
        fc.array(fc.record({ parts: fc.nat(5), to: fc.nat(400) }), { maxLength: 8 }),
        fc.boolean(),
        async ({ bytes, partSize, chunkSizes }, jumps, replays) => {
          const source = replays ? replayable(bytes, chunkSizes) : chunksOf(bytes, chunkSizes);
          const reader = new LayerReader(source);
          const expectAt = (part: Part | undefined) => {
            if (part) {
              expect(
                Buffer.from(part.bytes).equals(bytes.subarray(part.firstByte).subarray(0, part.bytes.length)),
              ).toBe(true);
            }
          };
          let read = 0;
          for (const { parts, to } of jumps) {
            for (let count = 0; count < parts; count += 1) {
              expectAt(await reader.next(partSize));
            }
            read = Math.max(read, reader.position);
            const before = reader.position;
            const reachable = replays ? 0 : Math.max(0, before - partSize);
            const target = Math.min(read, Math.max(reachable, to));
            await reader.seek(target).catch((error: Error) => {
              expect([replays, error.name]).toEqual([false, 'LayerProblem']);
              expect(reader.position).toBe(before);
            });
          }
          for (const part of await readToEnd(reader, partSize)) {
            expectAt(part);
          }
          expect(reader.position).toBe(bytes.length);
          expect(reader.digest()).toBe(digestOf(bytes));
        },
      ),
    ));

  it('of a stream has its last two parts at hand, and no more', async () => {
    const bytes = Buffer.from('aabbccd');
    const reader = new LayerReader(chunksOf(bytes, [3]));
    await readToEnd(reader, 2);
    await expect(reader.seek(3)).rejects.toMatchObject({ code: 'BytesGone' });
    await reader.seek(4);
    expect((await readToEnd(reader, 2)).map((part) => Buffer.from(part.bytes).toString())).toEqual([
      'cc',
      'd',
    ]);
  });

  it('is never read beyond what was read', async () => {
    const reader = new LayerReader(replayable(Buffer.from('aabb'), [4]));
    await reader.next(2);
    await expect(reader.seek(3)).rejects.toMatchObject({ code: 'BytesGone' });
  });

  it('of any length, and those after it, take turns in the memory of two parts', async () => {
    const buffers = new PartBuffers();
    const memory = new Set<ArrayBufferLike>();
    for (let layer = 0; layer < 3; layer += 1) {
      const reader = new LayerReader(chunksOf(Buffer.alloc(100), [7]), buffers);
      for (let part = await reader.next(4); part; part = await reader.next(4)) {
        memory.add(part.bytes.buffer);
      }
      await reader.close();
    }
    expect(memory.size).toBe(2);
  });

  describe('of a stream, with its last two parts at hand', () => {
    /** Parts of two bytes each. */
    async function openAfter(parts: number) {
      const reader = new LayerReader(chunksOf(Buffer.from('aabbccddee'), [3]));
      for (let count = 0; count < parts; count += 1) {
        await reader.next(2);
      }
      const next = async () => String(Buffer.from((await reader.next(2))?.bytes ?? []));
      return { reader, next };
    }

    it('goes back, and forward to any byte that was read', async () => {
      for (const [byte, text] of [
        [3, 'bc'],
        [4, 'cc'],
        [5, 'cd'],
        [6, 'dd'],
      ] as const) {
        const { reader, next } = await openAfter(3);
        await reader.seek(2);
        await reader.seek(byte);
        expect([reader.position, await next(), reader.position]).toEqual([byte, text, byte + 2]);
        await readToEnd(reader, 2);
        expect(reader.digest()).toBe(digestOf(Buffer.from('aabbccddee')));
      }
    });

    it('goes forward to no byte that was not read', async () => {
      const { reader } = await openAfter(3);
      await reader.seek(2);
      await expect(reader.seek(7)).rejects.toMatchObject({
        ...{ code: 'BytesGone', message: 'the layer cannot be read again from byte 7' },
      });
      expect(reader.position).toBe(2);
    });

    it('goes back to the same byte as often as it must', async () => {
      const { reader, next } = await openAfter(3);
      for (let time = 0; time < 3; time += 1) {
        await reader.seek(2);
        expect(await next()).toBe('bb');
      }
    });

    it('goes back by a few bytes, and by a few more', async () => {
      const { reader, next } = await openAfter(3);
      await reader.seek(5);
      await reader.seek(3);
      await reader.seek(2);
      expect(await next()).toBe('bb');
    });
  });

  it('is opened again at the byte that is asked for, also at the last that was read', async () => {
    const opened: number[] = [];
    const reader = new LayerReader((fromByte) => {
      opened.push(fromByte);
      return chunksOf(Buffer.from('aabbccdd').subarray(fromByte), [3]);
    });
    await readToEnd(reader, 2);
    for (const byte of [0, 8, 1]) {
      await reader.seek(byte);
      await reader.next(2);
    }
    expect(opened).toEqual([0, 0, 8, 1]);
  });

  it('ends where it ends, whatever chunks of no bytes come', async () => {
    async function* chunks() {
      yield* ['', 'ab', ''].map((text) => Buffer.from(text));
    }
    const reader = new LayerReader(chunks());
    expect((await readToEnd(reader, 2)).length).toBe(1);
    expect(await new LayerReader(chunksOf(Buffer.alloc(0), [1])).next(2)).toBeUndefined();
  });

  it('that is closed has nothing more, and may never have been opened', async () => {
    const stream = new LayerReader(chunksOf(Buffer.from('aabb'), [4]));
    await stream.next(2);
    await stream.close();
    expect(await stream.next(2)).toBeUndefined();
    await new LayerReader(replayable(Buffer.from('aabb'), [4])).close();
    const endless = new LayerReader({
      [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false, value: Buffer.from('a') }) }),
    });
    expect((await endless.next(2))?.bytes.length).toBe(2);
    await endless.close();
  });

  it('gives each buffer back once, when nothing of it will be read again', async () => {
    const buffers = new PartBuffers();
    const [take, giveBack] = [vi.spyOn(buffers, 'take'), vi.spyOn(buffers, 'giveBack')];
    const reader = new LayerReader(chunksOf(Buffer.alloc(20), [7]), buffers);
    await readToEnd(reader, 4);
    expect([take.mock.calls.length, giveBack.mock.calls.length]).toEqual([5, 3]);
    await reader.close();
    expect(giveBack).toHaveBeenCalledTimes(5);
    await reader.close();
    expect(giveBack).toHaveBeenCalledTimes(5);
  });

  it('that went back shares no memory that it has yet to read from', async () => {
    const buffers = new PartBuffers();
    const reader = new LayerReader(chunksOf(Buffer.from('aabbccdd'), [8]), buffers);
    await reader.next(4);
    await reader.next(4);
    await reader.seek(0);
    expect(String(Buffer.from((await reader.next(2))?.bytes ?? []))).toBe('aa');
    buffers.take(4).fill('x');
    buffers.take(4).fill('x');
    const rest = await readToEnd(reader, 2);
    expect(rest.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['bb', 'cc', 'dd']);
  });
});

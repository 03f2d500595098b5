// The stream that joins a blob's requests: whichever side comes first, every chunk arrives once, in order.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkStream, ReaderGone } from '../../client/bridge/chunk-stream.ts';

const chunk = (value: number) => Uint8Array.of(value);
/** Lets whatever waits go on. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await Promise.resolve();
  }
}

describe('a stream of chunks', () => {
  it('gives the reader each of them once, in order, however slow either side is', async () => {
    const delays = fc.array(fc.nat({ max: 5 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(delays, delays, async (givers, readers) => {
        const stream = new ChunkStream();
        const read: number[] = [];
        const reading = (async () => {
          await turns(readers[0] ?? 0);
          for await (const [value = -1] of stream) {
            read.push(value);
            await turns(readers[read.length] ?? 0);
          }
        })();
        for (const [index, delay] of givers.entries()) {
          await turns(delay);
          await stream.give(chunk(index));
        }
        stream.end();
        await reading;
        expect(read).toEqual(givers.map((_, index) => index));
      }),
    );
  });

  it('counts a chunk as taken when the reader comes back', async () => {
    const stream = new ChunkStream();
    let isTaken = false;
    const given = stream.give(chunk(1)).then(() => {
      isTaken = true;
    });
    expect(await stream.next()).toEqual({ done: false, value: chunk(1) });
    await turns(10);
    expect(isTaken).toBe(false);
    void stream.next();
    await given;
    expect(isTaken).toBe(true);
  });

  it('that failed tells both sides', async () => {
    const stream = new ChunkStream();
    const given = stream.give(chunk(1));
    stream.fail(new Error('given up'));
    await expect(given).rejects.toThrow(ReaderGone);
    await expect(stream.next()).rejects.toThrow('given up');
    await expect(stream.give(chunk(2))).rejects.toThrow(ReaderGone);
  });

  it('whose reader has gone takes no more', async () => {
    const stream = new ChunkStream();
    const given = stream.give(chunk(1));
    await stream.return();
    await expect(given).rejects.toThrow(ReaderGone);
    await expect(stream.give(chunk(2))).rejects.toThrow(ReaderGone);
  });
});

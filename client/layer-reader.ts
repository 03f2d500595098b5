// Reads a layer as consecutive parts, hashes it on the way, and can go back to an earlier byte.

import { createHash } from 'node:crypto';
import { sha256OfHash } from '../api/digest.ts';
import { LayerProblem } from './layer-problem.ts';
import { PartBuffers } from './part-buffers.ts';

type Bytes = AsyncIterable<Uint8Array>;

/**
 * A layer's bytes: a stream that can be read once, or a function that opens them at any byte, as often as
 * asked, always with the same bytes.
 */
export type LayerSource = Bytes | ((fromByte: number) => Bytes);

/**
 * Consecutive bytes of a layer; `firstByte` is the position of the first. The bytes stay as they are until the
 * second part after this one is read: then their memory is used again.
 */
export type Part = { firstByte: number; bytes: Uint8Array<ArrayBuffer> };

/** How many parts stay in memory after they are read: two, so that an upload can resume at the first of a pair. */
const keptParts = 2;

export class LayerReader {
  readonly #buffers: PartBuffers;
  readonly #reopen: ((fromByte: number) => Bytes) | undefined;
  readonly #hash = createHash('sha256');
  #chunks: AsyncIterator<Uint8Array> | undefined;
  /** Read from the source, or given back by {@link seek}, and not yet part of a part. */
  #ahead: Uint8Array[] = [];
  /** The parts read last, in order; they end at `#position`. */
  #kept: Part[] = [];
  #position = 0;
  #hashedBytes = 0;
  /** Every buffer that `#kept` or `#ahead` has a view of. */
  #held: Buffer<ArrayBuffer>[] = [];

  constructor(source: LayerSource, buffers: PartBuffers = new PartBuffers()) {
    this.#buffers = buffers;
    this.#reopen = typeof source === 'function' ? source : undefined;
    this.#chunks = typeof source === 'function' ? undefined : source[Symbol.asyncIterator]();
  }

  /** The position of the first byte that the next part will have. */
  get position(): number {
    return this.#position;
  }

  /** `sha256:…` of all bytes read so far, each counted once. */
  digest(): string {
    return sha256OfHash(this.#hash.copy());
  }

  /** The next part: `partSize` bytes, or fewer at the layer's end; undefined after it. */
  async next(partSize: number): Promise<Part | undefined> {
    const first = await this.#nextChunk();
    if (!first) {
      return undefined;
    }
    this.#kept.splice(0, this.#kept.length - keptParts + 1);
    this.#release(first);
    const bytes = this.#buffers.take(partSize);
    this.#held.push(bytes);
    let length = 0;
    for (let chunk: Uint8Array | undefined = first; chunk; ) {
      const taken = chunk.subarray(0, partSize - length);
      bytes.set(taken, length);
      length += taken.length;
      if (taken.length < chunk.length) {
        this.#ahead.unshift(chunk.subarray(taken.length));
      }
      chunk = length < partSize ? await this.#nextChunk() : undefined;
    }
    const part = { firstByte: this.#position, bytes: bytes.subarray(0, length) };
    this.#position += length;
    this.#hashOnce(part);
    this.#kept.push(part);
    return part;
  }

  /**
   * Makes `byte` the first of the next part: from the parts kept, or by opening the source there.
   * @throws LayerProblem `BytesGone` when neither is possible, or bytes before it were never read
   */
  async seek(byte: number): Promise<void> {
    if (byte === this.#position) {
      return;
    }
    const start = this.#kept[0]?.firstByte ?? this.#position;
    if (byte >= start && byte < this.#position) {
      this.#giveBackFrom(byte);
    } else if (byte <= this.#hashedBytes && this.#reopen) {
      await this.close();
    } else if (byte <= this.#hashedBytes && byte > this.#position) {
      // They were given back, all of them.
      await this.next(byte - this.#position);
    } else {
      throw new LayerProblem('BytesGone', `the layer cannot be read again from byte ${byte}`);
    }
    this.#position = byte;
  }

  /** Closes the source. */
  async close(): Promise<void> {
    const chunks = this.#chunks;
    this.#chunks = undefined;
    this.#ahead = [];
    this.#kept = [];
    this.#release();
    await chunks?.return?.();
  }

  /** Returns to the pool the buffers that are no longer needed here; `chunk` is about to be copied. */
  #release(chunk?: Uint8Array): void {
    const views = [...this.#kept.map(({ bytes }) => bytes), ...this.#ahead, ...(chunk ? [chunk] : [])];
    const inUse = new Set(views.map(({ buffer }) => buffer));
    for (const buffer of this.#held.filter((held) => !inUse.has(held.buffer))) {
      this.#buffers.giveBack(buffer);
    }
    this.#held = this.#held.filter((held) => inUse.has(held.buffer));
  }

  #giveBackFrom(byte: number): void {
    const split = this.#kept.map(({ firstByte, bytes }) => {
      const length = Math.max(0, byte - firstByte);
      return { before: { firstByte, bytes: bytes.subarray(0, length) }, after: bytes.subarray(length) };
    });
    this.#kept = split.map(({ before }) => before).filter(({ bytes }) => bytes.length > 0);
    this.#ahead.unshift(...split.map(({ after }) => after));
  }

  async #nextChunk(): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = this.#ahead.shift() ?? (await this.#nextOfSource());
      if (chunk === undefined || chunk.length > 0) {
        return chunk;
      }
    }
  }

  async #nextOfSource(): Promise<Uint8Array | undefined> {
    this.#chunks ??= this.#reopen?.(this.#position)[Symbol.asyncIterator]();
    const result = await this.#chunks?.next();
    return result?.done ? undefined : result?.value;
  }

  /** Of a part that was read before, in whole or in part, only the new bytes are hashed. */
  #hashOnce({ firstByte, bytes }: Part): void {
    const known = Math.min(bytes.length, this.#hashedBytes - firstByte);
    this.#hash.update(bytes.subarray(known));
    this.#hashedBytes += bytes.length - known;
  }
}

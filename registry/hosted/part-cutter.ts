// Cuts a body of any length into parts that ECR takes, whatever chunks it comes in, and holds no more than it must. Pure.

import { maxEcrPartBytes, minEcrPartBytes } from '../../api/limits.ts';
import type { PartBuffers } from './part-buffers.ts';

/** When so much has come, a full part leaves, and what stays is a part as well should nothing more come. */
export const heldBytes = maxEcrPartBytes + minEcrPartBytes;

export class PartCutter {
  readonly #buffers: PartBuffers;
  /** Each is full but the last. */
  #filling: Buffer[] = [];
  #held = 0;

  constructor(buffers: PartBuffers) {
    this.#buffers = buffers;
  }

  /** How many bytes have come that no part has left with. */
  get held(): number {
    return this.#held;
  }

  /** @returns the parts that are full; the sender returns each to the buffers */
  *take(chunk: Uint8Array): Generator<Buffer> {
    for (let at = 0; at < chunk.length; ) {
      at += this.#copy(chunk.subarray(at));
      const [full] = this.#filling;
      if (this.#held >= heldBytes && full) {
        this.#filling.shift();
        this.#held -= full.length;
        yield full;
      }
    }
  }

  /**
   * What is left, in one part or in two, of which neither is too small to be followed by another; only one that is
   * all there is may be.
   */
  *end(): Generator<Buffer> {
    const [first, second] = this.#filling;
    const left = this.#held;
    this.#filling = [];
    this.#held = 0;
    if (first === undefined || second === undefined) {
      if (first) {
        yield first.subarray(0, left);
      }
      return;
    }
    // They hold more than one part may, and less than two full ones: some of the first belongs to the second.
    const firstBytes = left - minEcrPartBytes;
    const moved = first.subarray(firstBytes);
    second.copyWithin(moved.length, 0, left - first.length);
    second.set(moved, 0);
    yield first.subarray(0, firstBytes);
    yield second.subarray(0, minEcrPartBytes);
  }

  /** Forgets all of what is held but its first bytes. */
  shorten(toBytes: number): void {
    for (const buffer of this.#filling.splice(Math.ceil(toBytes / maxEcrPartBytes))) {
      this.#buffers.giveBack(buffer);
    }
    this.#held = toBytes;
  }

  #copy(chunk: Uint8Array): number {
    const used = this.#held % maxEcrPartBytes;
    const isFull = this.#filling.length * maxEcrPartBytes === this.#held;
    const buffer = isFull ? this.#buffers.take() : this.#filling.at(-1);
    if (buffer === undefined) {
      throw new Error('no buffer is being filled');
    }
    if (isFull) {
      this.#filling.push(buffer);
    }
    const copied = Math.min(chunk.length, maxEcrPartBytes - used, heldBytes - this.#held);
    buffer.set(chunk.subarray(0, copied), used);
    this.#held += copied;
    return copied;
  }
}

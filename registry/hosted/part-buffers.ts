// The memory that parts are gathered in, used again and again, so that it stays flat however long a layer is.

import { maxEcrPartBytes } from '../../api/limits.ts';

/** How many are kept while nobody uses them; the others are the garbage collector's. */
const maxIdle = 4;

export class PartBuffers {
  readonly #idle: ArrayBufferLike[] = [];

  /** Room for a part, with whatever an earlier one has left in it. */
  take(): Buffer {
    const memory = this.#idle.pop();
    // Not of Node.js's shared pool, and no page of it is touched before it is needed.
    return memory ? Buffer.from(memory) : Buffer.allocUnsafeSlow(maxEcrPartBytes);
  }

  /** @param part the room that was taken, or some of it, which nobody reads any more */
  giveBack({ buffer: memory }: Buffer): void {
    if (this.#idle.length < maxIdle) {
      this.#idle.push(memory);
    }
  }
}

// Buffers for parts, reused, so that memory does not grow with the length of a layer.

/** How many idle buffers are kept; more are left to the garbage collector. */
const maxIdle = 8;

export class PartBuffers {
  readonly #idle: Buffer<ArrayBuffer>[] = [];

  /** A buffer of exactly `size` bytes, with whatever an earlier part left in it. */
  take(size: number): Buffer<ArrayBuffer> {
    const at = this.#idle.findIndex(({ length }) => length === size);
    const [buffer] = at < 0 ? [] : this.#idle.splice(at, 1);
    // Not from Node.js's shared pool, and not zeroed.
    return buffer ?? Buffer.allocUnsafeSlow(size);
  }

  /** Nobody may read `buffer` any more. */
  giveBack(buffer: Buffer<ArrayBuffer>): void {
    if (this.#idle.length < maxIdle) {
      this.#idle.push(buffer);
    }
  }
}

// The memory that parts are read into, used again and again, so that it stays flat however long a layer is.

/** How many idle buffers are kept; what is given back beyond that is the garbage collector's. */
const maxIdle = 8;

export class PartBuffers {
  readonly #idle: Buffer<ArrayBuffer>[] = [];

  /** A buffer of exactly `size` bytes, with whatever an earlier part left in it. */
  take(size: number): Buffer<ArrayBuffer> {
    const at = this.#idle.findIndex(({ length }) => length === size);
    const [buffer] = at < 0 ? [] : this.#idle.splice(at, 1);
    // Not of Node.js's shared pool, and no page of it is touched before it is needed.
    return buffer ?? Buffer.allocUnsafeSlow(size);
  }

  /** Nobody may read `buffer` any more. */
  giveBack(buffer: Buffer<ArrayBuffer>): void {
    if (this.#idle.length < maxIdle) {
      this.#idle.push(buffer);
    }
  }
}

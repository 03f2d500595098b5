// Unpacks bzip2 block by block, so that only one block is in memory at a time.

import bitIterator from 'unbzip2-stream/lib/bit_iterator.js';
import bzip2 from 'unbzip2-stream/lib/bzip2.js';

type Bytes = AsyncIterable<Uint8Array>;

const blockUnit = 100_000;
/** A block has 900,000 symbols at most, of 20 bits at most; behind its tables of 20 KB. */
const maxBlockBytes = 2_300_000;
const pieceBytes = 65_536;

/** @throws for data that is damaged or cut off: the block is unpacked at once, and needs bytes that are not there */
export async function* bunzip2(bytes: Bytes): AsyncGenerator<Uint8Array> {
  const waiting: Uint8Array[] = [];
  const bits = bitIterator(() => waiting.shift() ?? new Uint8Array());
  let received = 0;
  let level = 0;
  let checksum = 0;

  /** Unpacks what is surely whole, and at the end the rest. */
  function* blocks(aheadBytes: number): Generator<Uint8Array> {
    while (received - bits.bytesRead > aheadBytes) {
      if (level === 0) {
        level = bzip2.header(bits);
        checksum = 0;
      }
      const pieces = new Pieces();
      const size = blockUnit * level;
      const next = bzip2.decompress(bits, (byte) => pieces.push(byte), new Int32Array(size), size, checksum);
      if (next === null) {
        level = 0;
      } else {
        checksum = next;
      }
      yield* pieces.all();
    }
  }

  for await (const chunk of bytes) {
    waiting.push(chunk);
    received += chunk.length;
    yield* blocks(maxBlockBytes);
  }
  yield* blocks(0);
  if (level !== 0) {
    throw new Error('the bzip2 data is cut off');
  }
}

/** Bytes that come one by one. */
class Pieces {
  readonly #full: Buffer[] = [];
  #piece = Buffer.allocUnsafe(pieceBytes);
  #length = 0;

  push(byte: number): void {
    if (this.#length === pieceBytes) {
      this.#full.push(this.#piece);
      this.#piece = Buffer.allocUnsafe(pieceBytes);
      this.#length = 0;
    }
    this.#piece[this.#length++] = byte;
  }

  all(): Buffer[] {
    return [...this.#full, this.#piece.subarray(0, this.#length)];
  }
}

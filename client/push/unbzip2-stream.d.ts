// The two parts of unbzip2-stream that unpack one block at a time; the package has no types.

declare module 'unbzip2-stream/lib/bit_iterator.js' {
  /** Reads bits, or with null passes over those up to the next byte. */
  type Bits = { (count: number | null): number; bytesRead: number };
  export default function bitIterator(nextBuffer: () => Uint8Array | undefined): Bits;
}

declare module 'unbzip2-stream/lib/bzip2.js' {
  type Bits = (count: number | null) => number;
  const bzip2: {
    /** The level, from 1 to 9. */
    header(bits: Bits): number;
    /** The checksum of the stream with this block; null at the stream's end. */
    decompress(
      bits: Bits,
      write: (byte: number) => void,
      buffer: Int32Array,
      bufferLength: number,
      checksum: number,
    ): number | null;
  };
  export default bzip2;
}

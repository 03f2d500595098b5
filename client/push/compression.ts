// Decompresses archives and layers as a stream, and reports damaged data.

import { pipeline } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { createGunzip } from 'node:zlib';
import xz from 'xz-decompress';
import { bunzip2 } from './bunzip2.ts';
import { SourceProblem } from './source-problem.ts';
import { unzstd } from './unzstd.ts';

type Bytes = AsyncIterable<Uint8Array>;

export type Compression = 'gzip' | 'zstd' | 'xz' | 'bzip2';

/** How many bytes {@link compressionOf} looks at. */
export const headBytes = 10;

/** zstd may begin with a frame to be skipped, as pzstd writes; bzip2 has a block or its end after a level. */
const heads: Record<Compression, RegExp> = {
  gzip: /^1f8b/,
  zstd: /^(28b52ffd|5.2a4d18)/,
  xz: /^fd377a585a00/,
  bzip2: /^425a683[1-9](314159265359|177245385090)/,
};

const compressions = ['gzip', 'zstd', 'xz', 'bzip2'] as const satisfies Compression[];

/** Of a file's first {@link headBytes}; undefined where it is not compressed. */
export function compressionOf(head: Uint8Array): Compression | undefined {
  const hex = Buffer.from(head).toString('hex', 0, headBytes);
  return compressions.find((compression) => heads[compression].test(hex));
}

/** Of the bytes that are unpacked at once. */
const chunkSize = 65_536;

const unpackers: Record<Compression, (bytes: Bytes) => Bytes> = {
  gzip: gunzip,
  zstd: unzstd,
  xz: (bytes) => new xz.XzReadableStream(ReadableStream.from(bytes)),
  bzip2: bunzip2,
};

/**
 * The caller limits how much is read: a few bytes may become very many.
 * @param title what messages call it
 * @throws SourceProblem for damaged data; what `bytes` throws
 */
export async function* unpacked(
  compression: Compression,
  bytes: Bytes,
  title: string,
): AsyncGenerator<Uint8Array> {
  let isUnreadable = false;
  const read = async function* () {
    try {
      yield* bytes;
    } catch (error) {
      isUnreadable = true;
      throw error;
    }
  };
  try {
    for await (const chunk of unpackers[compression](read())) {
      if (chunk.length > 0) {
        yield chunk;
      }
    }
  } catch (error) {
    if (isUnreadable) {
      throw error;
    }
    throw new SourceProblem(
      `${title} cannot be unpacked: its ${compression} data is damaged or cut off`,
      error,
    );
  }
}

/** Zeros behind it, as tapes have them, are passed over by Node.js, and refused by Go, which is what pulls images. */
async function* gunzip(bytes: Bytes): AsyncGenerator<Uint8Array> {
  let readBytes = 0;
  const counted = async function* () {
    for await (const chunk of bytes) {
      readBytes += chunk.length;
      yield chunk;
    }
  };
  const unpack = createGunzip({ chunkSize });
  yield* pipeline(counted(), unpack, () => {});
  if (unpack.bytesWritten < readBytes) {
    throw new Error('there are zeros behind it');
  }
}

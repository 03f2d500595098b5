// Writes a stream into a temporary file, because an archive can only be read from its end.

import { mkdtemp, open, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { codeOf, unreadable } from './open-file.ts';
import { SourceProblem } from './source-problem.ts';
import type { Archive } from './tar-entries.ts';

type Bytes = AsyncIterable<Uint8Array>;

export type SpoolOptions = {
  /** What messages call the stream. */
  title: string;
  /** The user's own bound, instead of those below. */
  maxUnpackedBytes?: number | undefined;
  signal?: AbortSignal | undefined;
};

const MiB = 1_048_576;
const maxSpooledBytes = 16 * 1_024 * MiB;
/** What every compressed archive may grow to, and how much larger ones may: images grow three to five times. */
const alwaysUnpackedBytes = 256 * MiB;
const maxRatio = 200;
/** Of what is free in the temporary folder; the rest is for others. */
const usableShare = 0.9;
/** Of the bytes that gzip gives at once. */
const chunkBytes = 65_536;

/**
 * An archive's manifest comes last in what `docker save` writes, and its layers may come in any order: which
 * bytes are a layer, and whether ECR has it, is known only at the end. On the disk, not in memory, they are kept
 * until then; and from there each can be read again after a failure.
 * @throws SourceProblem when it is longer than it may be; the signal's reason
 */
export const spool = (bytes: Bytes, options: SpoolOptions): Promise<Archive> =>
  spoolWithin(maxSpooledBytes, bytes, new PassThrough(), options);

/** The same for a compressed archive, in which nothing can be looked up. */
export const spoolGunzipped = (
  bytes: Bytes,
  compressedBytes: number,
  options: SpoolOptions,
): Promise<Archive> =>
  spoolWithin(
    Math.min(maxSpooledBytes, Math.max(alwaysUnpackedBytes, maxRatio * compressedBytes)),
    bytes,
    createGunzip({ chunkSize: chunkBytes }),
    options,
  );

async function spoolWithin(
  defaultBytes: number,
  bytes: Bytes,
  unpack: Transform,
  { title, maxUnpackedBytes = defaultBytes, signal }: SpoolOptions,
): Promise<Archive> {
  const { file, close } = await openTemporary();
  try {
    const { bavail, bsize } = await statfs(tmpdir()).catch(refuseTemporary);
    const usableBytes = Math.floor(bavail * bsize * usableShare);
    const isDiskSmaller = usableBytes < maxUnpackedBytes;
    const maxBytes = isDiskSmaller ? usableBytes : maxUnpackedBytes;
    let size = 0;
    const write = async (chunks: Bytes): Promise<void> => {
      for await (const chunk of chunks) {
        size += chunk.length;
        if (size > maxBytes)
          throw new SourceProblem(
            `${title} takes more than ${maxBytes} bytes unpacked: ${
              isDiskSmaller
                ? `there is no more room in ${tmpdir()}, so set TMPDIR to a folder that has it`
                : 'if you trust it, give a larger --max-unpacked-size'
            }`,
          );
        await file.writeFile(chunk).catch(refuseTemporary);
      }
    };
    await pipeline(bytes, unpack, write, { ...(signal && { signal }) });
    return { file, size, title, close };
  } catch (failure) {
    await close();
    signal?.throwIfAborted();
    const code = codeOf(failure);
    if (code?.startsWith('Z_'))
      throw new SourceProblem(`${title} cannot be unpacked: its gzip data is damaged or cut off`, failure);
    throw code === undefined ? failure : unreadable(title, failure);
  }
}

/**
 * Taken out of its folder while it is open, where the system lets one: then nothing is left behind, whatever ends
 * this process.
 */
async function openTemporary() {
  const directory = await mkdtemp(join(tmpdir(), 'ecr-upload-proxy-')).catch(refuseTemporary);
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    const file = await open(join(directory, 'archive.tar'), 'wx+', 0o600);
    await remove().catch(() => {});
    const close = async () => {
      await file.close();
      await remove();
    };
    return { file, close };
  } catch (failure) {
    await remove();
    return refuseTemporary(failure);
  }
}

function refuseTemporary(failure: unknown): never {
  const message = `the temporary folder ${tmpdir()} cannot be written (${codeOf(failure)}): set TMPDIR to another`;
  throw new Error(message, { cause: failure });
}

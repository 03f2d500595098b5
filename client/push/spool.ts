// Writes a stream to a temporary file, because an archive can only be read once all of it is there.

import { mkdtemp, open, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { codeOf, unreadable } from './open-file.ts';
import { SourceProblem } from './source-problem.ts';
import type { Archive } from './tar-entries.ts';
import { maxSpooledBytes, trusted } from './unpacked-bytes.ts';

type Bytes = AsyncIterable<Uint8Array>;

export type SpoolOptions = {
  /** What messages call the stream. */
  title: string;
  /** The user's own bound, instead of the default. */
  maxUnpackedBytes?: number | undefined;
  signal?: AbortSignal | undefined;
};

/** How much of the free space of the temporary folder may be used. */
const usableShare = 0.9;

/**
 * An archive's manifest comes last in what `docker save` writes, and its layers may come in any order: which
 * bytes are a layer, and whether ECR has it, is known only at the end; and in compressed data nothing can be looked
 * up. On the disk, not in memory, they are kept until then; and from there each can be read again after a failure.
 * @param defaultBytes how many it may have where the user has given no bound; never more than 16 GiB
 * @throws SourceProblem when it is longer than it may be; the signal's reason; what `bytes` throws
 */
export async function spool(
  bytes: Bytes,
  { title, maxUnpackedBytes, signal }: SpoolOptions,
  defaultBytes = maxSpooledBytes,
): Promise<Archive> {
  const boundBytes = maxUnpackedBytes ?? Math.min(maxSpooledBytes, defaultBytes);
  const { file, close } = await openTemporary();
  try {
    const { bavail, bsize } = await statfs(tmpdir()).catch(refuseTemporary);
    const usableBytes = Math.floor(bavail * bsize * usableShare);
    const isDiskSmaller = usableBytes < boundBytes;
    const maxBytes = isDiskSmaller ? usableBytes : boundBytes;
    let size = 0;
    const write = async (chunks: Bytes): Promise<void> => {
      for await (const chunk of chunks) {
        size += chunk.length;
        if (size > maxBytes) {
          throw new SourceProblem(
            isDiskSmaller
              ? `there is no room in ${tmpdir()} for ${title}, unpacked, beyond ${maxBytes} bytes: set TMPDIR to a folder that has it`
              : `${title} takes more than ${maxBytes} bytes unpacked: ${trusted}`,
          );
        }
        await file.writeFile(chunk).catch(refuseTemporary);
      }
    };
    await pipeline(bytes, new PassThrough(), write, { ...(signal && { signal }) });
    return { file, size, title, close };
  } catch (error) {
    await close();
    signal?.throwIfAborted();
    throw codeOf(error) === undefined ? error : unreadable(title, error);
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
  } catch (error) {
    await remove();
    return refuseTemporary(error);
  }
}

/** What systems say of a disk, a quota and a file that are full. */
const fullCodes: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

function refuseTemporary(failure: unknown): never {
  const code = codeOf(failure);
  const message = fullCodes.has(code)
    ? `there is no more room in ${tmpdir()} (${code}): set TMPDIR to a folder that has it`
    : `the temporary folder ${tmpdir()} cannot be written (${code}): set TMPDIR to another`;
  throw new Error(message, { cause: failure });
}

// Writes a stream into a temporary file, because an archive can only be read from its end.

import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

export type Spool = { path: string; remove(): Promise<void> };

type Bytes = AsyncIterable<Uint8Array>;

/**
 * An archive's manifest comes last in what `docker save` writes, and its layers may come in any order: which
 * bytes are a layer, and whether ECR has it, is known only at the end. On the disk, not in memory, they are kept
 * until then; and from there each can be read again after a failure.
 */
export async function spool(bytes: Bytes, signal?: AbortSignal): Promise<Spool> {
  const directory = await mkdtemp(join(tmpdir(), 'ecr-upload-proxy-'));
  const path = join(directory, 'archive.tar');
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    await pipeline(bytes, createWriteStream(path, { mode: 0o600 }), { signal });
    return { path, remove };
  } catch (failure) {
    await remove();
    throw failure;
  }
}

/** The same for a compressed archive, in which nothing can be looked up. */
export async function spoolGunzipped(bytes: Bytes, signal?: AbortSignal): Promise<Spool> {
  const gunzip = createGunzip();
  const reading = pipeline(bytes, gunzip, { signal });
  const [spooled] = await Promise.allSettled([spool(gunzip, signal), reading]);
  if (spooled.status === 'rejected') throw spooled.reason;
  return spooled.value;
}

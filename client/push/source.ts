// Opens what is to be pushed: an OCI layout as a directory or an archive, a docker archive, a stream of either.

import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { directoryFiles } from './directory-files.ts';
import { isDockerArchive, readDockerArchive } from './docker-archive.ts';
import { type Files, isGzip } from './files.ts';
import type { Images } from './image.ts';
import { isOciLayout, readOciLayout } from './oci-layout.ts';
import { bytesOf, readAt, unreadable } from './open-file.ts';
import { SourceProblem } from './source-problem.ts';
import { type SpoolOptions, spool, spoolGunzipped } from './spool.ts';
import type { Archive } from './tar-entries.ts';
import { tarFiles } from './tar-files.ts';

type Bytes = AsyncIterable<Uint8Array>;

export type OpenOptions = Omit<SpoolOptions, 'title'> & {
  /** What the source `-` is. */
  input: Bytes;
};

/** Images whose blobs can be read until it is closed. */
export type OpenedSource = Images & { close(): Promise<void> };

/**
 * @param source a path, or `-` for the input, which is spooled into a temporary file
 * @throws SourceProblem when it holds no image, or cannot be read; the signal's reason
 */
export async function openSource(source: string, options: OpenOptions): Promise<OpenedSource> {
  const files = await filesOf(source, options);
  try {
    return { ...(await imagesOf(files)), close: files.close };
  } catch (failure) {
    await files.close();
    throw failure;
  }
}

/** What `docker save` writes today is both; its OCI layout says more. */
async function imagesOf(files: Files): Promise<Images> {
  if (await isOciLayout(files)) return readOciLayout(files);
  if (await isDockerArchive(files)) return readDockerArchive(files);
  throw new SourceProblem('the source is neither an OCI layout nor a docker archive');
}

async function filesOf(source: string, { input, ...options }: OpenOptions): Promise<Files> {
  if (source === '-') {
    const title = 'standard input';
    return archiveFiles(await spool(input, { ...options, title }), { ...options, title });
  }
  const found = await stat(source).catch((failure: unknown) => {
    throw unreadable(source, failure);
  });
  if (found.isDirectory()) return directoryFiles(source, options.signal);
  return archiveFiles(await openArchive(source), { ...options, title: source });
}

/** Whatever it has become meanwhile, nothing is waited for. */
async function openArchive(path: string): Promise<Archive> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((failure: unknown) => {
    throw unreadable(path, failure);
  });
  const stats = await file.stat();
  if (stats.isFile()) return { file, size: stats.size, title: path, close: () => file.close() };
  await file.close();
  throw new SourceProblem(`${path} is neither a directory nor a file: give - and pipe it in`);
}

async function archiveFiles(archive: Archive, options: SpoolOptions): Promise<Files> {
  const unpacked = await unpackedOf(archive, options);
  try {
    return await tarFiles(unpacked, options.signal);
  } catch (failure) {
    await unpacked.close();
    throw failure;
  }
}

/** The archive itself where it is not compressed; otherwise it is closed here. */
async function unpackedOf(archive: Archive, options: SpoolOptions): Promise<Archive> {
  const { file, size, title, close } = archive;
  let isItself = false;
  try {
    isItself = !isGzip(await readAt(file, title, 0, 2));
    return isItself
      ? archive
      : await spoolGunzipped(bytesOf(file, title, 0, size, options.signal), size, options);
  } finally {
    if (!isItself) await close();
  }
}

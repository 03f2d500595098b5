// Opens what is to be pushed: a folder, an archive, or a stream of one, plain or compressed.

import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { compressionOf, headBytes, unpacked } from './compression.ts';
import { directoryFiles } from './directory-files.ts';
import type { Files } from './files.ts';
import { imagesOf } from './forms.ts';
import type { Images } from './image.ts';
import { bytesOf, readAt, unreadable } from './open-file.ts';
import { openPipe } from './pipe.ts';
import { SourceProblem } from './source-problem.ts';
import { type SpoolOptions, spool } from './spool.ts';
import type { Archive } from './tar-entries.ts';
import { tarFiles } from './tar-files.ts';
import { maxUnpackedOf } from './unpacked-bytes.ts';

type Bytes = AsyncIterable<Uint8Array>;

export type OpenOptions = Omit<SpoolOptions, 'title'> & {
  /** What the source `-` is. */
  input: Bytes;
};

/** Images whose blobs can be read until it is closed. */
type OpenedSource = Images & { close(): Promise<void> };

/**
 * @param source a path, or `-` for the input; what is no file or folder is spooled into a temporary file
 * @throws SourceProblem when it holds no image, or cannot be read; the signal's reason
 */
export async function openSource(source: string, options: OpenOptions): Promise<OpenedSource> {
  const files = await filesOf(source, options);
  const kept: Archive[] = [];
  const close = async (): Promise<void> => {
    for (const one of [...kept, files]) {
      await one.close();
    }
  };
  try {
    const images = await imagesOf(files, { ...options, keep: (archive) => kept.push(archive) });
    return { ...images, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Names of this process's own input. */
const inputs: ReadonlySet<string> = new Set(['-', '/dev/stdin', '/dev/fd/0', '/proc/self/fd/0']);

async function filesOf(source: string, { input, ...options }: OpenOptions): Promise<Files> {
  const found = source === '-' ? undefined : await statOf(source);
  if (found?.isDirectory()) {
    return directoryFiles(source, options.signal);
  }
  if (found?.isFile()) {
    return archiveFiles(await openArchive(source), { ...options, title: source });
  }
  const title = inputs.has(source) ? 'standard input' : source;
  const bytes = inputs.has(source) ? input : openPipe(source);
  return archiveFiles(await spool(bytes, { ...options, title }), { ...options, title });
}

const statOf = (path: string) =>
  stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });

/** Whatever it has become meanwhile, nothing is waited for. */
async function openArchive(path: string): Promise<Archive> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  const stats = await file.stat();
  if (stats.isFile()) {
    return { file, size: stats.size, title: path, close: () => file.close() };
  }
  await file.close();
  throw new SourceProblem(`${path} has become something else while it was opened`);
}

async function archiveFiles(archive: Archive, options: SpoolOptions): Promise<Files> {
  const unpackedArchive = await unpackedOf(archive, options);
  try {
    return await tarFiles(unpackedArchive, options);
  } catch (error) {
    await unpackedArchive.close();
    throw error;
  }
}

/** The archive itself where it is not compressed; otherwise it is closed here. */
async function unpackedOf(archive: Archive, options: SpoolOptions): Promise<Archive> {
  const { file, size, title, close } = archive;
  let isItself = false;
  try {
    const compression = compressionOf(await readAt(file, title, 0, headBytes));
    isItself = compression === undefined;
    if (compression === undefined) {
      return archive;
    }
    const bytes = unpacked(compression, bytesOf(file, title, 0, size, options.signal), title);
    return await spool(bytes, options, maxUnpackedOf(size));
  } finally {
    if (!isItself) {
      await close();
    }
  }
}

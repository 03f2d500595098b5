// Opens what is to be pushed: an OCI layout as a directory or an archive, a docker archive, a stream of either.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isDockerArchive, readDockerArchive } from './docker-archive.ts';
import { directoryFiles, type Files, headOf, isGzip } from './files.ts';
import type { Images } from './image.ts';
import { isOciLayout, readOciLayout } from './oci-layout.ts';
import { SourceProblem } from './source-problem.ts';
import { type Spool, spool, spoolGunzipped } from './spool.ts';
import { tarFiles } from './tar-files.ts';

type Bytes = AsyncIterable<Uint8Array>;

/** Images whose blobs can be read until it is closed. */
export type OpenedSource = Images & { close(): Promise<void> };

/**
 * @param source a path, or `-` for `input`, which is spooled into a temporary file
 * @throws SourceProblem when it holds no image
 */
export async function openSource(source: string, input: Bytes, signal?: AbortSignal): Promise<OpenedSource> {
  const files = await filesOf(source, input, signal);
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

async function filesOf(source: string, input: Bytes, signal: AbortSignal | undefined): Promise<Files> {
  if (source === '-') return spooledFiles(await spool(input, signal), signal);
  const found = await stat(source).catch((failure: NodeJS.ErrnoException) => {
    throw new SourceProblem(`${source} cannot be read (${failure.code})`);
  });
  return found.isDirectory() ? directoryFiles(source) : archiveFiles(source, signal);
}

async function spooledFiles({ path, remove }: Spool, signal: AbortSignal | undefined): Promise<Files> {
  try {
    return closing(await archiveFiles(path, signal), remove);
  } catch (failure) {
    await remove();
    throw failure;
  }
}

async function archiveFiles(path: string, signal: AbortSignal | undefined): Promise<Files> {
  if (!isGzip(await headOf(path, 2))) return tarFiles(path);
  const { path: unzipped, remove } = await spoolGunzipped(createReadStream(path), signal);
  return closing(await tarFiles(unzipped), remove);
}

const closing = (files: Files, remove: () => Promise<void>): Files => ({
  ...files,
  close: async () => {
    await files.close();
    await remove();
  },
});

// The files of a source that is a directory, and nothing outside of it.

import { constants } from 'node:fs';
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { shown } from '../printable.ts';
import type { Files } from './files.ts';
import { bytesOf, codeOf, unreadable } from './open-file.ts';
import { SourceProblem } from './source-problem.ts';

/** Opening a FIFO does not wait for its writer; it is then refused. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const isMissing = (failure: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(codeOf(failure) ?? '');

type Opened = { file: FileHandle; path: string; size: number };

export async function directoryFiles(directory: string, signal?: AbortSignal): Promise<Files> {
  const root = await realpath(directory).catch((error: unknown) => {
    throw unreadable(directory, error);
  });
  return {
    async find(name) {
      signal?.throwIfAborted();
      const found = await openWithin(root, name);
      if (!found) {
        return undefined;
      }
      await found.file.close();
      const { path, size } = found;
      const own = relative(root, path).split(sep).join('/');
      return { name: own, size, open: (fromByte) => bytesWithin(root, name, fromByte, size, signal) };
    },
    close: async () => {},
  };
}

async function* bytesWithin(
  root: string,
  name: string,
  fromByte: number,
  size: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const opened = await openWithin(root, name);
  if (!opened) {
    throw new SourceProblem(`${shown(name)} in the source is no longer there`);
  }
  try {
    yield* bytesOf(opened.file, `${name} in the source`, fromByte, size, signal);
  } finally {
    await opened.file.close();
  }
}

/**
 * Links are followed as long as they stay within `root`. Where the system tells where an open file lies (Linux
 * does), that is what is looked at, so that nobody can change the way between the look and the opening; elsewhere
 * the way is looked at once more. What a hard link or a mount has brought into the directory lies in it.
 */
async function openWithin(root: string, name: string): Promise<Opened | undefined> {
  try {
    const path = await realpath(join(root, name));
    refuseOutside(root, path, name);
    const file = await open(path, openFlags);
    try {
      refuseOutside(root, await readlink(`/proc/self/fd/${file.fd}`).catch(() => realpath(path)), name);
      const stats = await file.stat();
      if (!stats.isFile()) {
        throw new SourceProblem(`${shown(name)} in the source is no file`);
      }
      return { file, path, size: stats.size };
    } catch (error) {
      await file.close();
      throw error;
    }
  } catch (error) {
    if (error instanceof SourceProblem) {
      throw error;
    }
    if (isMissing(error)) {
      return undefined;
    }
    throw unreadable(`${name} in the source`, error);
  }
}

function refuseOutside(root: string, path: string, name: string): void {
  const way = relative(root, path);
  if (way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)) {
    throw new SourceProblem(
      `${shown(name)} in the source leads out of it: if you trust its links, copy it with cp -rL and push the copy`,
    );
  }
}

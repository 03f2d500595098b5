// The files of a source, in a directory or in an archive.

import { posix } from 'node:path';
import { shown } from '../printable.ts';
import { SourceProblem } from './source-problem.ts';

export type SourceFile = {
  /** The file's own, where links have led: names of one file have one. */
  name: string;
  /** In bytes. */
  size: number;
  /** The bytes from `fromByte` on, as often as asked. @throws SourceProblem when they cannot be read */
  open(fromByte: number): AsyncIterable<Uint8Array>;
};

/** Names are relative, with `/`, and stay within the source: {@link nameWithin}. */
export type Files = {
  /** @throws SourceProblem for what is no file, or leads out of the source */
  find(name: string): Promise<SourceFile | undefined>;
  close(): Promise<void>;
};

/** As long as a path may be on Linux. */
const maxNameCharacters = 4_096;

/**
 * A name that the source's own documents give, without `./`.
 * @throws SourceProblem for one that leads out of the source, whatever is there
 */
export function nameWithin(name: string): string {
  const normal = posix.normalize(name);
  const isWithin = !posix.isAbsolute(normal) && normal !== '..' && !normal.startsWith('../');
  if (isWithin && name.length <= maxNameCharacters && !name.includes('\0')) {
    return normal;
  }
  throw new SourceProblem(`the source names ${shown(name)}, which is no path within it`);
}

/** @throws SourceProblem when the source has no such file */
export async function fileOf(files: Files, name: string): Promise<SourceFile> {
  const file = await files.find(name);
  if (!file) {
    throw new SourceProblem(`the source has no ${shown(name)}`);
  }
  return file;
}

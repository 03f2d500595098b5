// The files of a source, whether they lie in a directory or in an archive.

import { createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SourceProblem } from './source-problem.ts';

type Bytes = AsyncIterable<Uint8Array>;

/** Names are relative, with `/`. */
export type Files = {
  /** In bytes; undefined where there is no such file. */
  size(name: string): Promise<number | undefined>;
  read(name: string): Promise<Buffer>;
  /** The file's bytes from `fromByte` on, as often as asked. */
  open(name: string, fromByte: number): Bytes;
  close(): Promise<void>;
};

/** Manifests and configs are read whole; what claims to be one and is longer is not. */
export const maxDocumentBytes = 8 * 1_048_576;

export const directoryFiles = (directory: string): Files => ({
  size: async (name) =>
    stat(join(directory, name)).then(
      (file) => (file.isFile() ? file.size : undefined),
      () => undefined,
    ),
  read: (name) => readFile(join(directory, name)),
  open: (name, fromByte) => createReadStream(join(directory, name), { start: fromByte }),
  close: async () => {},
});

/** @throws SourceProblem when it is not there, or is not JSON */
export async function readJson(files: Files, name: string): Promise<unknown> {
  const text = (await readDocument(files, name)).toString();
  try {
    return JSON.parse(text);
  } catch {
    throw new SourceProblem(`${name} in the source is not JSON`);
  }
}

/** @throws SourceProblem when it is not there, or too long for a document */
export async function readDocument(files: Files, name: string): Promise<Buffer> {
  const size = await files.size(name);
  if (size === undefined) throw new SourceProblem(`the source has no ${name}`);
  if (size > maxDocumentBytes) throw new SourceProblem(`${name} in the source has ${size} bytes`);
  return files.read(name);
}

/** The first bytes of a file on the disk. */
export async function headOf(path: string, length: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

export const isGzip = (head: Uint8Array): boolean => head[0] === 0x1f && head[1] === 0x8b;

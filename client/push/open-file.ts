// Reads an open file by position, so that many can read it at once.

import type { FileHandle } from 'node:fs/promises';
import { shown } from '../printable.ts';
import { SourceProblem } from './source-problem.ts';

const chunkBytes = 65_536;

/**
 * Fewer bytes than `length` only at the file's end.
 * @param name for messages
 * @throws SourceProblem when the file cannot be read
 */
export async function readAt(file: FileHandle, name: string, at: number, length: number): Promise<Buffer> {
  try {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, at);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw unreadable(name, error);
  }
}

/**
 * The bytes from `from` up to, not including, `end`.
 * @throws SourceProblem when the file cannot be read, or has become shorter; the signal's reason
 */
export async function* bytesOf(
  file: FileHandle,
  name: string,
  from: number,
  end: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (let at = from; at < end; ) {
    signal?.throwIfAborted();
    const bytes = await readAt(file, name, at, Math.min(chunkBytes, end - at));
    if (bytes.length === 0) {
      throw new SourceProblem(`${shown(name)} has become shorter while it was read`);
    }
    at += bytes.length;
    yield bytes;
  }
}

/** What the system says, as a code: its own sentence would show the path on this machine. */
export const codeOf = (failure: unknown): string | undefined =>
  failure instanceof Error && 'code' in failure && typeof failure.code === 'string'
    ? failure.code
    : undefined;

export const unreadable = (name: string, failure: unknown): SourceProblem =>
  new SourceProblem(`${shown(name)} cannot be read (${codeOf(failure) ?? 'for a reason unknown'})`, failure);

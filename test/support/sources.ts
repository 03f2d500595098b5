// Reads a source as `push` does and holds it to what is true of every source, also of one that was made to harm.

import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect } from 'vitest';
import { chooseImages } from '../../client/push/choice.ts';
import type { Blob, Root } from '../../client/push/image.ts';
import { type OpenOptions, openSource } from '../../client/push/source.ts';
import { SourceProblem } from '../../client/push/source-problem.ts';
import { sha256Of } from './hostile-archives.ts';

const maxCpuMs = 5_000;
const maxWallMs = 150_000;
const maxUnpackedBytes = 16 * 1_048_576;
/** What a message never quotes: other programs' words for a fault. */
const foreignWords = /SyntaxError|TypeError|RangeError|undefined|Invalid input|Unexpected/;

/** Of a file that lies outside of every source, and must never be read. */
export const secret = 'the bytes of a file outside of the source';

/** The images of a source, of which every blob was read and is what its digest says, or why it was refused. */
export type Read = { roots: Root[]; blobs: Map<string, Buffer> } | string;

/** @throws what is neither an image nor a SourceProblem */
export async function readSource(source: string, options: Partial<OpenOptions> = {}): Promise<Read> {
  try {
    const opened = await openSource(source, { input: Readable.from([]), ...options });
    try {
      await chooseImages(opened, {});
      const blobs = new Map<string, Buffer>();
      for (const blob of opened.blobs) {
        blobs.set(blob.digest, await bytesOf(blob));
      }
      return { roots: opened.roots, blobs };
    } finally {
      await opened.close();
    }
  } catch (error) {
    if (error instanceof SourceProblem) {
      return error.message;
    }
    throw error;
  }
}

export const bytesOf = ({ source }: Blob): Promise<Buffer> =>
  buffer(typeof source === 'function' ? source(0) : source);

/** The one image of `savedImage` or `layout`, with its config and its layer. */
export function expectImage(read: Read, refName = 'app:1.0'): void {
  if (typeof read === 'string') {
    expect.fail(read);
  }
  expect(read.roots).toEqual([expect.objectContaining({ refName })]);
  expect(read.blobs.size).toBe(2);
  for (const [digest, bytes] of read.blobs) {
    expect(sha256Of(bytes)).toBe(digest);
  }
}

/** Checks what holds for every source: it is read or refused, soon, and nothing of other files or of the secret is shown. */
export async function expectReadOrRefused(source: string): Promise<Read> {
  const before = process.cpuUsage();
  const read = await readSource(source, { maxUnpackedBytes, signal: AbortSignal.timeout(maxWallMs) });
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(maxCpuMs);
  if (typeof read === 'string') {
    expect(read.length).toBeLessThan(10_000);
    expect(read).not.toMatch(/[\p{Cc}\p{Cs}]/u);
    expect(read).not.toMatch(foreignWords);
  }
  const shown =
    typeof read === 'string' ? [read] : [...read.blobs.values()].map((bytes) => bytes.toString('latin1'));
  for (const text of shown) {
    expect(text).not.toContain(secret);
  }
  return read;
}

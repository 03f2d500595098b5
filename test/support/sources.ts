// Reads a source as `push` does and holds it to what is true of every source, also of one that was made to harm.

import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect } from 'vitest';
import { openSource } from '../../client/push/source.ts';
import { SourceProblem } from '../../client/push/source-problem.ts';
import { tagsOf } from '../../client/push/tags.ts';

const maxCpuMs = 5_000;
const maxWallMs = 60_000;
const maxUnpackedBytes = 16 * 1_048_576;
/** What a message never quotes: other programs' words for a fault. */
const foreignWords = /SyntaxError|TypeError|RangeError|undefined|Invalid input|Unexpected/;

/** Of a file that lies outside of every source, and must never be read. */
export const secret = 'the bytes of a file outside of the source';

/**
 * Whether `push` can read a source, all of it; throws for what is neither read nor a SourceProblem, for what takes
 * long, and for the secret.
 */
export async function isRead(source: string): Promise<boolean> {
  const before = process.cpuUsage();
  try {
    const signal = AbortSignal.timeout(maxWallMs);
    const opened = await openSource(source, { input: Readable.from([]), maxUnpackedBytes, signal });
    try {
      tagsOf(opened, undefined);
      for (const { source, size } of opened.blobs.slice(0, 100)) {
        const bytes = await buffer(typeof source === 'function' ? source(0) : source);
        expect(bytes.length).toBe(size);
        expect(bytes.toString('latin1')).not.toContain(secret);
      }
    } finally {
      await opened.close();
    }
    return true;
  } catch (failure) {
    if (!(failure instanceof SourceProblem)) throw failure;
    expect(failure.message.length).toBeLessThan(10_000);
    expect(failure.message).not.toMatch(/[\p{Cc}\p{Cs}]/u);
    expect(failure.message).not.toMatch(foreignWords);
    expect(failure.message).not.toContain(secret);
    return false;
  } finally {
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(maxCpuMs);
  }
}

// Archives for `push` with changed bytes, plain and compressed: each is read or refused in our words, and soon.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compressedLayers, layer } from '../support/compressed.ts';
import { fuzzed } from '../support/fuzzing.ts';
import { gnuTarFormats, isGnuTar } from '../support/gnu-tar.ts';
import { layout, paxMember, savedImage, seal, tarOf, writeMembers } from '../support/hostile-archives.ts';
import { expectReadOrRefused, type Read } from '../support/sources.ts';
import { type Piece, sparseContent, sparseForms, sparseMembers } from '../support/sparse-members.ts';
import { mutate, mutations } from '../support/tar-mutations.ts';

const maxGrowthBytes = 512 * 1_048_576;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'archives-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function tryArchive(bytes: Uint8Array): Promise<Read> {
  const path = join(directory, 'mutated');
  await writeFile(path, bytes);
  return expectReadOrRefused(path);
}

const long = `${'deep/'.repeat(40)}name`;
/** More than a header has room for. */
const sparsePieces = Array.from({ length: 30 }, (_, at): Piece => [at * 100, 'layer']);
const archives: Buffer[] = [
  tarOf(layout()),
  tarOf(savedImage()),
  tarOf([paxMember({ path: long, size: '5' }), { name: 'cut', bytes: 'layer' }, ...savedImage()]),
  tarOf([
    { name: '././@LongLink', type: 'L', bytes: `${long}\0` },
    { name: 'cut', bytes: 'layer' },
    ...layout(),
  ]),
  tarOf([
    ...savedImage(),
    { name: 'two', type: '2', link: 'one/layer.tar' },
    { name: 'three', type: '1', link: 'two' },
  ]),
  ...sparseForms.map((form) =>
    tarOf([
      ...sparseMembers(form, 'one/layer.tar', sparsePieces, 5_000),
      ...savedImage({ layer: sparseContent(sparsePieces, 5_000) }).slice(1),
    ]),
  ),
  ...Object.values(compressedLayers).map((bytes) =>
    tarOf([{ name: 'one/layer.tar', bytes }, ...savedImage({ layer }).slice(1)]),
  ),
];

/** By its position, which a failure prints, and not by its bytes. */
const oneOf = (list: readonly Buffer[]): fc.Arbitrary<number> => fc.nat({ max: list.length - 1 });

const nth = (list: readonly Buffer[], at: number): Buffer => list[at] ?? Buffer.alloc(0);

describe('an archive with some bytes changed', () => {
  it.each([
    ['plain', (bytes: Buffer) => bytes],
    ['compressed after it by gzip', gzipSync],
    ['compressed after it by zstd', zstdCompressSync],
  ])('is read or refused, %s', async (_, pack) => {
    const rss = process.memoryUsage().rss;
    await fc.assert(
      fc.asyncProperty(oneOf(archives), mutations, async (at, changes) => {
        await tryArchive(pack(changes.reduce(mutate, nth(archives, at))));
      }),
      fuzzed(1_000),
    );
    expect(process.memoryUsage().rss - rss).toBeLessThan(maxGrowthBytes);
  });

  it('is read or refused, compressed before it', async () => {
    const compressed = archives.flatMap((archive) => [gzipSync(archive), zstdCompressSync(archive)]);
    await fc.assert(
      fc.asyncProperty(oneOf(compressed), mutations, async (at, changes) => {
        await tryArchive(changes.reduce(mutate, nth(compressed, at)));
      }),
      fuzzed(1_000),
    );
  });

  it.each(['xz', 'bzip2'])('is read or refused, compressed before it by %s', async (program) => {
    const compressed = archives.slice(0, 3).flatMap((archive) => {
      const { stdout } = spawnSync(program, ['-c'], { input: archive });
      return stdout ? [stdout] : [];
    });
    if (compressed.length === 0) {
      return;
    }
    await fc.assert(
      fc.asyncProperty(oneOf(compressed), mutations, async (at, changes) => {
        await tryArchive(changes.reduce(mutate, nth(compressed, at)));
      }),
      fuzzed(200),
    );
  });

  it.skipIf(!isGnuTar)('is read or refused, as GNU tar wrote it', async () => {
    const tree = await writeMembers(join(directory, 'tree'), layout());
    const written = gnuTarFormats.map((format) =>
      execFileSync('tar', ['-c', `--format=${format}`, '-C', tree, '.']),
    );
    for (const archive of written) {
      expect(await tryArchive(archive)).toHaveProperty('roots');
    }
    await fc.assert(
      fc.asyncProperty(oneOf(written), mutations, async (at, changes) => {
        await tryArchive(changes.reduce(mutate, nth(written, at)));
      }),
      fuzzed(1_000),
    );
  });

  it('is read or refused, where it was never one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 4_096, size: 'max' }),
        fc.boolean(),
        async (bytes, isSealed) => {
          const header = Buffer.alloc(512);
          header.set(bytes.subarray(0, 512));
          await tryArchive(isSealed ? Buffer.concat([seal(header), bytes.subarray(512)]) : bytes);
        },
      ),
      fuzzed(500),
    );
  });
});

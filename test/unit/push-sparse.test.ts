// Sparse files in archives that `push` reads: their zeros are there, and their maps are held against what is stored.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSource } from '../../client/push/source.ts';
import { fuzzed } from '../support/fuzzing.ts';
import { type Member, paxMember, savedImage, sha256Of, tarOf } from '../support/hostile-archives.ts';
import { readSource } from '../support/sources.ts';
import { type Piece, sparseContent, sparseForms, sparseMembers } from '../support/sparse-members.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'push-sparse-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function written(members: readonly Member[]): Promise<string> {
  const path = join(directory, 'archive');
  await writeFile(path, tarOf(members));
  return path;
}

/** Some with more pieces than a header, and a block behind it, have room for. */
const files = fc
  .record({
    pieces: fc.oneof(
      fc.array(fc.tuple(fc.nat({ max: 2_000 }), fc.stringMatching(/^[a-z]{1,600}$/)), { maxLength: 8 }),
      fc.array(fc.tuple(fc.nat({ max: 9 }), fc.stringMatching(/^[a-z]{1,3}$/)), {
        minLength: 20,
        maxLength: 60,
      }),
    ),
    tail: fc.nat({ max: 100_000 }),
  })
  .map(({ pieces, tail }) => {
    let end = 0;
    const placed = pieces.map(([hole, text]): Piece => {
      const offset = end + hole;
      end = offset + text.length;
      return [offset, text];
    });
    return { pieces: placed, size: end + tail };
  });

describe('a sparse file', () => {
  it.each(sparseForms)('of the form %s has its zeros, wherever it is read from', async (form) => {
    await fc.assert(
      fc.asyncProperty(files, fc.double({ min: 0, max: 1, noNaN: true }), async ({ pieces, size }, share) => {
        const content = sparseContent(pieces, size);
        const others = savedImage({ layer: content }).slice(1);
        const path = await written([...sparseMembers(form, 'one/layer.tar', pieces, size), ...others]);
        const { blobs, close } = await openSource(path, { input: emptyInput() });
        try {
          const source = blobs.find(({ digest }) => digest === sha256Of(content))?.source;
          if (typeof source !== 'function') {
            return expect.fail('the layer is not there');
          }
          const from = Math.floor(share * size);
          const chunks: Uint8Array[] = [];
          for await (const chunk of source(from)) {
            chunks.push(chunk);
          }
          expect(Buffer.concat(chunks).equals(content.subarray(from))).toBe(true);
        } finally {
          await close();
        }
      }),
      fuzzed(60),
    );
  });

  const pax = (map: string, size = '10'): Member[] => [
    paxMember({ 'GNU.sparse.size': size, 'GNU.sparse.map': map, 'GNU.sparse.name': 'odd' }),
    { name: 'x', bytes: 'layer' },
  ];
  const lines = (text: string): Member[] => [
    paxMember({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '10' }),
    { name: 'odd', bytes: text.padEnd(512, '\0') },
  ];
  const damaged = /its map of a sparse file is damaged/;
  const rows: [string, Member[], RegExp][] = [
    ['whose pieces overlap', pax('0,3,2,2'), damaged],
    ['whose pieces are in another order', pax('5,2,0,3'), damaged],
    ['whose pieces are longer than it', pax('0,3,9,2'), damaged],
    ['whose pieces are more than is stored', pax('0,3,4,3'), damaged],
    ['whose pieces are less than is stored', pax('0,3'), damaged],
    ['whose map ends in a pair', pax('0,5,6'), damaged],
    ['whose map is no numbers', pax('0,-5'), /its size is no number of bytes/],
    ['whose map is enormous', pax(`0,${'9'.repeat(17)}`), /its size is no number of bytes/],
    ['that does not say how long it is', pax('0,5', ''), /it is sparse in an unknown form/],
    ['whose map in front is cut off', lines('2\n0\n'), damaged],
    ['whose map in front is text', lines('many\n'), damaged],
    ['whose map in front counts too far', lines('9999999999999999\n'), damaged],
    ['whose map in front is missing', lines(''), damaged],
    [
      'of many terabytes',
      pax('0,5', '9000000000000'),
      /^the sparse files of .* take more than 268435456 bytes: if you trust it, give a larger/,
    ],
  ];
  it.each(rows)('is refused %s', async (_, members, message) => {
    expect(await readSource(await written(members))).toMatch(message);
  });

  it('is refused whose map goes on after the end of the archive', async () => {
    const [member] = sparseMembers(
      'old GNU',
      'odd',
      Array.from({ length: 26 }, (_, at) => [2 * at, 'x']),
      100,
    );
    const path = join(directory, 'archive');
    await writeFile(path, tarOf(member ? [member] : [], Buffer.alloc(0)).subarray(0, 1_024));
    expect(await readSource(path)).toMatch(damaged);
  });

  it('counts with the others of its archive', async () => {
    const one = pax('0,5', '100000000');
    expect(await readSource(await written([...one, ...one, ...one]))).toMatch(/take more than 268435456/);
    expect(await readSource(await written([...one, ...one, ...one]), { maxUnpackedBytes: 3e8 })).toMatch(
      /neither an OCI layout/,
    );
  });
});

async function* emptyInput(): AsyncGenerator<Uint8Array> {}

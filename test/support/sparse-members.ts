// A sparse file in an archive, in each of the four forms in which GNU tar writes one.

import { type Member, paxMember } from './hostile-archives.ts';

/** What is not zeros: text by its position. */
export type Piece = readonly [offset: number, text: string];

export const sparseForms = ['old GNU', 'pax 0.0', 'pax 0.1', 'pax 1.0'] as const;
export type SparseForm = (typeof sparseForms)[number];

const block = 512;

export function sparseContent(pieces: readonly Piece[], size: number): Buffer {
  const content = Buffer.alloc(size);
  for (const [offset, text] of pieces) {
    content.write(text, offset);
  }
  return content;
}

/** GNU tar ends the list with an empty piece at the file's end. */
export function sparseMembers(
  form: SparseForm,
  name: string,
  pieces: readonly Piece[],
  size: number,
): Member[] {
  const pairs = [
    ...pieces.map(([offset, text]): [number, number] => [offset, text.length]),
    [size, 0] as const,
  ];
  const numbers = pairs.flat();
  const data = pieces.map(([, text]) => text).join('');
  if (form === 'old GNU') {
    return [oldGnuMember(name, pairs, size, data)];
  }
  const cut = `GNUSparseFile.0/${name}`;
  if (form === 'pax 0.0') {
    return [
      paxMember([
        ['GNU.sparse.size', `${size}`],
        ['GNU.sparse.numblocks', `${pairs.length}`],
        ...pairs.flatMap(([offset, length]): [string, string][] => [
          ['GNU.sparse.offset', `${offset}`],
          ['GNU.sparse.numbytes', `${length}`],
        ]),
      ]),
      { name, bytes: data },
    ];
  }
  if (form === 'pax 0.1') {
    return [
      paxMember({
        'GNU.sparse.size': `${size}`,
        'GNU.sparse.numblocks': `${pairs.length}`,
        'GNU.sparse.name': name,
        'GNU.sparse.map': numbers.join(','),
      }),
      { name: cut, bytes: data },
    ];
  }
  const map = [pairs.length, ...numbers].map((number) => `${number}\n`).join('');
  return [
    paxMember({
      'GNU.sparse.major': '1',
      'GNU.sparse.minor': '0',
      'GNU.sparse.name': name,
      'GNU.sparse.realsize': `${size}`,
    }),
    { name: cut, bytes: map + '\0'.repeat((block - (map.length % block)) % block) + data },
  ];
}

const octal = (number: number): string => `${number.toString(8).padStart(11, '0')}\0`;

function oldGnuMember(
  name: string,
  pairs: readonly (readonly [number, number])[],
  size: number,
  data: string,
): Member {
  const texts = pairs.map(([offset, length]) => octal(offset) + octal(length));
  const rest = texts.slice(4);
  const blocks: Buffer[] = [];
  for (let at = 0; at < rest.length; at += 21) {
    const one = Buffer.alloc(block);
    one.write(rest.slice(at, at + 21).join(''), 'latin1');
    one[504] = at + 21 < rest.length ? 1 : 0;
    blocks.push(one);
  }
  return {
    name,
    type: 'S',
    bytes: Buffer.concat([...blocks, Buffer.from(data)]),
    size: octal(data.length),
    patch: (header) => {
      header.write('ustar  \0', 257, 'latin1');
      header.write(texts.slice(0, 4).join(''), 386, 'latin1');
      header[482] = blocks.length > 0 ? 1 : 0;
      header.write(octal(size), 483, 'latin1');
    },
  };
}

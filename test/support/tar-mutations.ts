// Changes to the bytes of an archive: some anywhere, some in a header's fields, with the checksum made anew.

import fc from 'fast-check';
import { seal } from './hostile-archives.ts';

const block = 512;

/** At a place from 0 to 1 of what it is applied to. */
export type Mutation = { kind: string; place: number; other: number; bytes: Uint8Array };

const fieldsOfHeader: [at: number, length: number][] = [
  [0, 100],
  [124, 12],
  [148, 8],
  [156, 1],
  [157, 100],
  [257, 8],
  [345, 155],
];
const oddFields = fc.oneof(
  fc.uint8Array({ maxLength: 12 }),
  fc
    .constantFrom(
      '-1',
      '-0000001000',
      '77777777777',
      'NaN',
      '1e9',
      '0x10',
      ' 12 ',
      '../../secret',
      '/secret',
      '1',
      '2',
      'x',
      'L',
      'K',
      'S',
      'g',
      'X',
      '7',
      'M',
    )
    .map((text) => Buffer.from(text)),
  fc
    .constantFrom('ff'.repeat(12), '80'.repeat(12), `80${'00'.repeat(10)}ff`, `ff${'ff'.repeat(9)}fe00`)
    .map((hex) => Buffer.from(hex, 'hex')),
);
export const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('field', 'field', 'field', 'flip', 'cut', 'splice', 'repeat', 'insert', 'text'),
    place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    other: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    bytes: oddFields,
  }),
  { minLength: 1, maxLength: 6 },
);

export function mutate(archive: Buffer, { kind, place, other, bytes }: Mutation): Buffer {
  const at = Math.floor(place * archive.length);
  const start = at - (at % block);
  const until = Math.floor(other * archive.length);
  const mutated = Buffer.from(archive);
  if (kind === 'flip' && at < mutated.length) {
    mutated[at] = Math.floor(other * 256);
  }
  if (kind === 'text') {
    mutated.set(bytes.subarray(0, mutated.length - at), at);
  }
  if (kind === 'cut') {
    return mutated.subarray(0, at);
  }
  if (kind === 'insert') {
    return Buffer.concat([
      mutated.subarray(0, start),
      Buffer.alloc(block, bytes.length ? bytes : 0),
      mutated.subarray(start),
    ]);
  }
  if (kind === 'repeat') {
    return Buffer.concat([
      mutated.subarray(0, start),
      mutated.subarray(start - (start % 1024), start),
      mutated.subarray(start),
    ]);
  }
  if (kind === 'splice') {
    return Buffer.concat([mutated.subarray(0, start), mutated.subarray(until - (until % block))]);
  }
  if (kind === 'field' && start + block <= mutated.length) {
    const [offset, length] = fieldsOfHeader[Math.floor(other * fieldsOfHeader.length)] ?? [0, 0];
    const header = mutated.subarray(start, start + block);
    header.fill(0, offset, offset + length).set(bytes.subarray(0, length), offset);
    // Half of them have their checksum, so that what is behind it is tried.
    if (Math.floor(place * 1_000_003) % 2 === 0) {
      seal(header);
    }
  }
  return mutated;
}

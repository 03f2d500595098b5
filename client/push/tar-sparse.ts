// Where the bytes of a sparse entry of a tar archive lie, in each of the four forms that GNU tar writes.

import { blockBytes, type Extension, numberAt, TarFault } from './tar-header.ts';

/** Bytes of a file that the archive holds; between them the file has zeros. */
export type Extent = { fileOffset: number; archiveOffset: number; length: number };

/** `dataBytes` at `dataOffset` of the archive are those of the map, one after the other. */
export type Sparse = { size: number; map: number[]; dataOffset: number; dataBytes: number };

/** Bytes of the archive, fewer only at its end. */
type Read = (at: number, length: number) => Promise<Buffer>;

const maxMapBytes = 1_048_576;
const pairBytes = 24;
const numberBytes = 12;

/** In a GNU header, and in each of the blocks that may follow it: how many pairs, where, and whether another follows. */
const inHeader = { pairsAt: 386, pairs: 4, isExtendedAt: 482, realSizeAt: 483 } as const;
const inBlock = { pairsAt: 0, pairs: 21, isExtendedAt: 504 } as const;

/**
 * The type `S`: the map is in the header and in blocks behind it, which its size does not count.
 * @throws TarFault
 */
export async function oldGnuSparseOf(
  header: Buffer,
  offset: number,
  dataBytes: number,
  read: Read,
): Promise<Sparse> {
  if (header.toString('latin1', 257, 264) !== 'ustar  ') {
    throw new TarFault('it is sparse in an unknown form');
  }
  const map = pairsOf(header, inHeader);
  let dataOffset = offset;
  for (let isExtended = header[inHeader.isExtendedAt] !== 0; isExtended; dataOffset += blockBytes) {
    const block = await read(dataOffset, blockBytes);
    if (block.length < blockBytes || dataOffset - offset >= maxMapBytes) {
      throw damagedMap();
    }
    map.push(...pairsOf(block, inBlock));
    isExtended = block[inBlock.isExtendedAt] !== 0;
  }
  return { size: numberAt(header, [inHeader.realSizeAt, numberBytes]), map, dataOffset, dataBytes };
}

/** Up to the first pair that is empty: both of its fields begin with a zero byte. */
function pairsOf(block: Buffer, { pairsAt, pairs }: { pairsAt: number; pairs: number }): number[] {
  const numbers: number[] = [];
  for (let at = pairsAt; at < pairsAt + pairs * pairBytes && block[at] !== 0; at += pairBytes) {
    numbers.push(numberAt(block, [at, numberBytes]), numberAt(block, [at + numberBytes, numberBytes]));
  }
  return numbers;
}

/**
 * A pax header that says so: the map is in it (0.0 and 0.1), or in front of the data, in decimal lines (1.0).
 * @throws TarFault
 */
export async function paxSparseOf(
  { size, map }: NonNullable<Extension['sparse']>,
  offset: number,
  storedBytes: number,
  read: Read,
): Promise<Sparse> {
  if (map) {
    return { size, map, dataOffset: offset, dataBytes: storedBytes };
  }
  const text = (await read(offset, Math.min(storedBytes, maxMapBytes))).toString('latin1');
  const [count, end] = lineAt(text, 0);
  if (count > maxMapBytes) {
    throw damagedMap();
  }
  const numbers: number[] = [];
  let at = end;
  while (numbers.length < 2 * count) {
    const [number, next] = lineAt(text, at);
    numbers.push(number);
    at = next;
  }
  const mapBytes = Math.ceil(at / blockBytes) * blockBytes;
  return { size, map: numbers, dataOffset: offset + mapBytes, dataBytes: storedBytes - mapBytes };
}

function lineAt(text: string, at: number): [number: number, next: number] {
  const end = text.indexOf('\n', at);
  const digits = text.slice(at, end);
  if (end < 0 || !/^\d{1,16}$/.test(digits)) {
    throw damagedMap();
  }
  return [Number(digits), end + 1];
}

/**
 * What the map says, held against the data: pieces in order that do not overlap, within the file, and all of the data.
 * @throws TarFault
 */
export function extentsOf({ size, map, dataOffset, dataBytes }: Sparse): Extent[] {
  const extents: Extent[] = [];
  let [fileEnd, archiveOffset] = [0, dataOffset];
  for (let at = 0; at < map.length; at += 2) {
    const [fileOffset = 0, length = Number.NaN] = map.slice(at, at + 2);
    if (!(fileOffset >= fileEnd && fileOffset + length <= size)) {
      throw damagedMap();
    }
    if (length > 0) {
      extents.push({ fileOffset, archiveOffset, length });
    }
    fileEnd = fileOffset + length;
    archiveOffset += length;
  }
  if (archiveOffset !== dataOffset + dataBytes) {
    throw damagedMap();
  }
  return extents;
}

const damagedMap = (): TarFault => new TarFault('its map of a sparse file is damaged');

// Where the files of a tar archive lie in it, read from its headers alone.

import type { FileHandle } from 'node:fs/promises';
import { posix } from 'node:path';
import { shown } from '../printable.ts';
import { readAt } from './open-file.ts';
import { SourceProblem } from './source-problem.ts';
import {
  blockBytes,
  type Extension,
  hasItsChecksum,
  isEnd,
  linkOf,
  longNameOf,
  nameOf,
  nameOfByteText,
  paxExtensionOf,
  sizeOf,
  TarFault,
  typeOf,
} from './tar-header.ts';
import { type Extent, extentsOf, oldGnuSparseOf, paxSparseOf, type Sparse } from './tar-sparse.ts';
import { maxUnpackedOf, trusted } from './unpacked-bytes.ts';

/** All between the extents is zeros. `place` is where it lay first: hard links have the same. */
export type TarFile = { place: string; size: number; extents: Extent[] };

/** A symbolic link has the path that is written in it; a hard link comes before what it names only in odd archives. */
export type TarEntry = TarFile | { symbolicLink: string } | { hardLink: string };

/** An archive that is open; `title` is what messages call it. */
export type Archive = { file: FileHandle; size: number; title: string; close(): Promise<void> };

/** Of a header's own extension: a name, not a file. */
const maxExtensionBytes = 1_048_576;
/** With the headers of their extensions; images have some hundreds. */
const maxHeaders = 200_000;
const maxNameCharactersInAll = 16 * 1_048_576;
/** Of all sparse files. */
const maxExtents = 1_000_000;
/** Small files lie side by side: their headers are read together. */
const windowBytes = 65_536;

const isLink = (type: string): boolean => type === '1' || type === '2';
/** Links, devices, directories, FIFOs: whatever size their headers have, no bytes are behind them. */
const isHeaderOnly = (type: string): boolean => '123456'.includes(type);
const isExtension = (type: string): boolean => 'LKxXg'.includes(type);
/** GNU tar's lists of a directory, parts of a file in another volume, long names of old, labels of a volume. */
const isNoFile = (type: string): boolean => 'DMNV'.includes(type);

export type TarOptions = {
  /** How many bytes sparse files may have that are not in the archive. */
  maxUnpackedBytes?: number | undefined;
  signal?: AbortSignal | undefined;
};

/**
 * The files and links by their names, which have a character for each byte; the last one of a name counts, as when
 * it is unpacked. Every turn goes on in the archive, so that the walk ends whatever the headers say.
 * @throws SourceProblem when it is no tar archive, or a damaged one
 */
export async function tarEntriesOf(
  archive: Archive,
  { maxUnpackedBytes = maxUnpackedOf(archive.size), signal }: TarOptions = {},
): Promise<Map<string, TarEntry>> {
  const walk = new Walk(archive, maxUnpackedBytes);
  const readHeader = windowOn(archive);
  for (let at = 0; at < archive.size; ) {
    signal?.throwIfAborted();
    const header = await readHeader(at);
    if (isEnd(header)) {
      break;
    }
    at = await walk.pass(header, at);
  }
  return walk.entries;
}

class Walk {
  readonly entries = new Map<string, TarEntry>();
  readonly #archive: Archive;
  readonly #maxHoleBytes: number;
  /** What GNU tar's long names, and what a pax header, say about the entry that comes next. */
  #long: Extension = {};
  #pax: Extension = {};
  #passed = 0;
  #nameCharacters = 0;
  #holeBytes = 0;
  #extents = 0;

  constructor(archive: Archive, maxHoleBytes: number) {
    this.#archive = archive;
    this.#maxHoleBytes = maxHoleBytes;
  }

  /** The position of the next header. */
  async pass(header: Buffer, at: number): Promise<number> {
    const { title } = this.#archive;
    if (header.length < blockBytes || !hasItsChecksum(header)) {
      throw new SourceProblem(
        at === 0 ? `${title} is no tar archive` : `${title} is damaged: at byte ${at} is no entry's header`,
      );
    }
    this.#passed += 1;
    if (this.#passed > maxHeaders) {
      throw tooMany(this.#archive, 'entries');
    }
    try {
      const type = typeOf(header);
      const offset = at + blockBytes;
      const size = this.#sizeOf(header, type);
      const sparse = await this.#sparseOf(header, type, offset, size);
      const { dataOffset, dataBytes } = sparse ?? { dataOffset: offset, dataBytes: size };
      if (dataBytes < 0 || dataOffset + dataBytes > this.#archive.size) {
        throw new TarFault(`its ${dataBytes} bytes end after the archive's own end`);
      }
      if (isExtension(type)) {
        await this.#extend(type, offset, size);
      } else {
        this.#add(header, type, sparse ?? { size, map: [0, size], dataOffset, dataBytes });
      }
      return dataOffset + Math.ceil(dataBytes / blockBytes) * blockBytes;
    } catch (error) {
      if (!(error instanceof TarFault)) {
        throw error;
      }
      const name =
        this.#pax.path ?? this.#long.path ?? header.toString('latin1', 0, 100).replace(/\0.*$/s, '');
      throw new SourceProblem(
        `${title} is damaged: ${shown(nameOfByteText(name))}, at byte ${at}: ${error.message}`,
      );
    }
  }

  #sizeOf(header: Buffer, type: string): number {
    if (isHeaderOnly(type)) {
      return 0;
    }
    return isExtension(type) ? sizeOf(header) : (this.#pax.size ?? sizeOf(header));
  }

  async #sparseOf(header: Buffer, type: string, offset: number, size: number): Promise<Sparse | undefined> {
    const { file, title } = this.#archive;
    const read = (at: number, length: number) => readAt(file, title, at, length);
    if (type === 'S') {
      return oldGnuSparseOf(header, offset, size, read);
    }
    const { sparse } = this.#pax;
    return sparse && !isExtension(type) && !isHeaderOnly(type)
      ? paxSparseOf(sparse, offset, size, read)
      : undefined;
  }

  async #extend(type: string, offset: number, size: number): Promise<void> {
    const { file, title } = this.#archive;
    if (size > maxExtensionBytes) {
      throw new TarFault(`its extended header has ${size} bytes`);
    }
    const bytes = await readAt(file, title, offset, size);
    if (type === 'L' || type === 'K') {
      this.#long = { ...this.#long, ...longNameOf(type, bytes) };
    } else if (type !== 'g') {
      this.#pax = paxExtensionOf(bytes);
    } else if (Object.values(paxExtensionOf(bytes)).some((value) => value !== undefined)) {
      throw new TarFault('it gives all entries one name or size');
    }
  }

  #add(header: Buffer, type: string, content: Sparse): void {
    const name = this.#pax.path ?? this.#long.path ?? nameOf(header);
    const link = isLink(type) ? (this.#pax.linkpath ?? this.#long.linkpath ?? linkOf(header)) : '';
    [this.#long, this.#pax] = [{}, {}];
    this.#count(name.length + link.length);
    const place = placeOf(name);
    if (place === undefined || isNoFile(type)) {
      return;
    }
    if (type === '2') {
      this.entries.set(place, { symbolicLink: link });
    } else if (type === '1') {
      this.#link(place, placeOf(link));
    } else if (!isHeaderOnly(type)) {
      this.entries.set(place, this.#fileOf(place, content));
    }
  }

  /** What is linked stays what it was when another file takes its name. */
  #link(place: string, target: string | undefined): void {
    const linked = target === undefined ? undefined : this.entries.get(target);
    this.entries.set(place, linked ?? { hardLink: target ?? '' });
  }

  #fileOf(place: string, content: Sparse): TarFile {
    const { size, dataBytes } = content;
    const extents = extentsOf(content);
    this.#holeBytes += size - dataBytes;
    this.#extents += extents.length;
    if (this.#extents > maxExtents) {
      throw tooMany(this.#archive, 'pieces of sparse files');
    }
    if (this.#holeBytes > this.#maxHoleBytes) {
      throw new SourceProblem(
        `the sparse files of ${this.#archive.title} take more than ${this.#maxHoleBytes} bytes: ${trusted}`,
      );
    }
    return { place, size, extents };
  }

  #count(nameCharacters: number): void {
    this.#nameCharacters += nameCharacters;
    if (this.#nameCharacters > maxNameCharactersInAll) {
      throw tooMany(this.#archive, 'names');
    }
  }
}

const tooMany = ({ title }: Archive, what: string): SourceProblem =>
  new SourceProblem(`${title} has more ${what} than are read: it is no archive of images`);

/** Undefined for a directory, and for a name that leaves the archive: nobody unpacks one such. */
export function placeOf(name: string): string | undefined {
  if (name.endsWith('/') || name.split('/').includes('..')) {
    return undefined;
  }
  return posix.normalize(`/${name}`).slice(1);
}

/** Reads the block at a position, most often from what was read for the one before. */
function windowOn({ file, title }: Archive): (at: number) => Promise<Buffer> {
  let [start, bytes]: [number, Buffer] = [0, Buffer.alloc(0)];
  return async (at) => {
    if (at < start || at + blockBytes > start + bytes.length) {
      [start, bytes] = [at, await readAt(file, title, at, windowBytes)];
    }
    return bytes.subarray(at - start, at - start + blockBytes);
  };
}

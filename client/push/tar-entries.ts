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
  isSparse,
  linkOf,
  longNameOf,
  nameOf,
  paxExtensionOf,
  sizeOf,
  TarFault,
  typeOf,
} from './tar-header.ts';

/** A file at `offset`, or a link to another name. */
export type TarEntry = { offset: number; size: number } | { link: string | undefined };

/** An archive that is open; `title` is what messages call it. */
export type Archive = { file: FileHandle; size: number; title: string; close(): Promise<void> };

/** Of a header's own extension: a name, not a file. */
const maxExtensionBytes = 1_048_576;
/** With the headers of their extensions; images have some hundreds. */
const maxHeaders = 200_000;
const maxNameCharactersInAll = 16 * 1_048_576;
/** Small files lie side by side: their headers are read together. */
const windowBytes = 65_536;

const isFile = (type: string): boolean => type === '0' || type === '7';
const isLink = (type: string): boolean => type === '1' || type === '2';
/** Links, devices, directories, FIFOs: whatever size their headers have, no bytes are behind them. */
const isHeaderOnly = (type: string): boolean => '123456'.includes(type);
const isExtension = (type: string): boolean => 'LKxXg'.includes(type);

/**
 * The files and links by their names; the last one of a name counts, as when it is unpacked. Every turn goes on in
 * the archive, so that the walk ends whatever the headers say.
 * @throws SourceProblem when it is no tar archive, or a damaged one
 */
export async function tarEntriesOf(archive: Archive, signal?: AbortSignal): Promise<Map<string, TarEntry>> {
  const walk = new Walk(archive);
  const readHeader = windowOn(archive);
  for (let at = 0; at < archive.size; ) {
    signal?.throwIfAborted();
    const header = await readHeader(at);
    if (isEnd(header)) break;
    at = await walk.pass(header, at);
  }
  return walk.entries;
}

class Walk {
  readonly entries = new Map<string, TarEntry>();
  readonly #archive: Archive;
  /** What GNU tar's long names, and what a pax header, say about the entry that comes next. */
  #long: Extension = {};
  #pax: Extension = {};
  #passed = 0;
  #nameCharacters = 0;

  constructor(archive: Archive) {
    this.#archive = archive;
  }

  /** The position of the next header. */
  async pass(header: Buffer, at: number): Promise<number> {
    const { title } = this.#archive;
    if (header.length < blockBytes || !hasItsChecksum(header))
      throw new SourceProblem(
        at === 0 ? `${title} is no tar archive` : `${title} is damaged: at byte ${at} is no entry's header`,
      );
    this.#passed += 1;
    if (this.#passed > maxHeaders) throw tooMany(this.#archive, 'entries');
    try {
      const type = typeOf(header);
      const offset = at + blockBytes;
      const size = this.#sizeWithin(header, type, offset);
      if (isExtension(type)) await this.#extend(type, offset, size);
      else this.#add(header, type, { offset, size });
      return offset + Math.ceil(size / blockBytes) * blockBytes;
    } catch (failure) {
      if (!(failure instanceof TarFault)) throw failure;
      const name =
        this.#pax.path ?? this.#long.path ?? header.toString('latin1', 0, 100).replace(/\0.*$/s, '');
      throw new SourceProblem(`${title} is damaged: ${shown(name)}, at byte ${at}: ${failure.message}`);
    }
  }

  #sizeWithin(header: Buffer, type: string, offset: number): number {
    if (isHeaderOnly(type)) return 0;
    const size = isExtension(type) ? sizeOf(header) : (this.#pax.size ?? sizeOf(header));
    if (offset + size > this.#archive.size)
      throw new TarFault(`its ${size} bytes end after the archive's own end`);
    return size;
  }

  async #extend(type: string, offset: number, size: number): Promise<void> {
    const { file, title } = this.#archive;
    if (size > maxExtensionBytes) throw new TarFault(`its extended header has ${size} bytes`);
    const bytes = await readAt(file, title, offset, size);
    if (type === 'L' || type === 'K') this.#long = { ...this.#long, ...longNameOf(type, bytes) };
    else if (type !== 'g') this.#pax = paxExtensionOf(bytes);
    else if (Object.values(paxExtensionOf(bytes)).some((value) => value !== undefined))
      throw new TarFault('it gives all entries one name or size');
  }

  #add(header: Buffer, type: string, entry: TarEntry): void {
    if (type === 'S') throw new TarFault(isSparse);
    const name = this.#pax.path ?? this.#long.path ?? nameOf(header);
    const link = isLink(type) ? (this.#pax.linkpath ?? this.#long.linkpath ?? linkOf(header)) : '';
    [this.#long, this.#pax] = [{}, {}];
    this.#count(name.length + link.length);
    const place = placeOf(name);
    if (place === undefined) return;
    if (isLink(type)) this.entries.set(place, { link: targetOf(place, link, type === '1') });
    else if (isFile(type)) this.entries.set(place, entry);
  }

  #count(nameCharacters: number): void {
    this.#nameCharacters += nameCharacters;
    if (this.#nameCharacters > maxNameCharactersInAll) throw tooMany(this.#archive, 'names');
  }
}

const tooMany = ({ title }: Archive, what: string): SourceProblem =>
  new SourceProblem(`${title} has more ${what} than are read: it is no archive of images`);

/** Undefined for a directory, and for a name that leaves the archive: nobody unpacks one such. */
function placeOf(name: string): string | undefined {
  if (name.endsWith('/') || name.split('/').includes('..')) return undefined;
  return posix.normalize(`/${name}`).slice(1);
}

/** A hard link names an entry, a symbolic one a path from where it lies; one that leaves the archive leads nowhere. */
function targetOf(place: string, link: string, isHard: boolean): string | undefined {
  if (isHard) return placeOf(link);
  return posix.isAbsolute(link) ? undefined : placeOf(posix.join(posix.dirname(place), link));
}

/** Reads the block at a position, most often from what was read for the one before. */
function windowOn({ file, title }: Archive): (at: number) => Promise<Buffer> {
  let [start, bytes]: [number, Buffer] = [0, Buffer.alloc(0)];
  return async (at) => {
    if (at < start || at + blockBytes > start + bytes.length)
      [start, bytes] = [at, await readAt(file, title, at, windowBytes)];
    return bytes.subarray(at - start, at - start + blockBytes);
  };
}

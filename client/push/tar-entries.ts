// Where the files of a tar archive lie in it, read from its headers alone.

import { type FileHandle, open } from 'node:fs/promises';
import { SourceProblem } from './source-problem.ts';

/** A file at `offset`, or a link to another name. */
export type TarEntry = { offset: number; size: number; link?: string };

const blockBytes = 512;
/** Of a header's own extension: a name, not a file. */
const maxExtensionBytes = 1_048_576;

const fields = {
  name: [0, 100],
  size: [124, 12],
  type: [156, 1],
  link: [157, 100],
  magic: [257, 6],
  prefix: [345, 155],
} as const;

const textOf = (header: Buffer, [at, length]: readonly [number, number]): string => {
  const field = header.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.subarray(0, end < 0 ? length : end).toString();
};

/** Octal, or from 8 GiB on base-256 behind a set bit, as GNU tar and star write it. */
function sizeOf(header: Buffer): number {
  const [at, length] = fields.size;
  const first = header[at] ?? 0;
  if (first < 128) return Number.parseInt(textOf(header, fields.size).trim() || '0', 8);
  return header.subarray(at + 1, at + length).reduce((value, byte) => value * 256 + byte, 0);
}

/** `length key=value\n`, over and over: POSIX's extended header. */
function extendedHeaderOf(text: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < text.length; ) {
    const space = text.indexOf(32, at);
    const length = Number(text.subarray(at, space).toString());
    if (!(length > 0)) break;
    const [key = '', ...value] = text
      .subarray(space + 1, at + length - 1)
      .toString()
      .split('=');
    records.set(key, value.join('='));
    at += length;
  }
  return records;
}

const nameOf = (name: string): string => name.replace(/^(\.?\/)+/, '').replace(/\/+$/, '');

/** A link's target is relative to where the link lies; a hard link's to the archive. */
const targetOf = (name: string, link: string, isHard: boolean): string =>
  new URL(link, isHard ? 'tar:///' : `tar:///${name}`).pathname.slice(1);

/**
 * The files and links by their names; the last one of a name counts, as when it is unpacked.
 * @throws SourceProblem when it is no tar archive
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
 */
export async function tarEntriesOf(path: string): Promise<Map<string, TarEntry>> {
  const file = await open(path);
  try {
    return await walk(file);
  } finally {
    await file.close();
  }
}

async function walk(file: FileHandle): Promise<Map<string, TarEntry>> {
  const entries = new Map<string, TarEntry>();
  let extension = new Map<string, string>();
  for (let at = 0; ; ) {
    const header = await readAt(file, at, blockBytes);
    if (header.length < blockBytes || header.every((byte) => byte === 0)) return entries;
    if (!textOf(header, fields.magic).startsWith('ustar') && at === 0)
      throw new SourceProblem('the source is neither an OCI layout nor a tar archive of one');
    const size = Number(extension.get('size') ?? sizeOf(header));
    if (!Number.isSafeInteger(size)) throw new SourceProblem('the archive is damaged');
    const offset = at + blockBytes;
    at = offset + Math.ceil(size / blockBytes) * blockBytes;
    const type = textOf(header, fields.type);
    if ('xLK'.includes(type) && type !== '') {
      const text = await readAt(file, offset, Math.min(size, maxExtensionBytes));
      extension = new Map([...extension, ...extensionOf(type, text)]);
      continue;
    }
    if (type !== 'g') addEntry(entries, header, extension, { offset, size }, type);
    extension = new Map();
  }
}

/** GNU tar writes a long name, or a long link, as an entry of its own before. */
const extensionOf = (type: string, text: Buffer): Map<string, string> =>
  type === 'x'
    ? extendedHeaderOf(text)
    : new Map([[type === 'L' ? 'path' : 'linkpath', text.toString().replace(/\0.*$/s, '')]]);

function addEntry(
  entries: Map<string, TarEntry>,
  header: Buffer,
  extension: ReadonlyMap<string, string>,
  entry: TarEntry,
  type: string,
): void {
  const prefix = textOf(header, fields.magic) === 'ustar' ? textOf(header, fields.prefix) : '';
  const plain = [prefix, textOf(header, fields.name)].filter(Boolean).join('/');
  const name = nameOf(extension.get('path') ?? plain);
  const link = extension.get('linkpath') ?? textOf(header, fields.link);
  if (type === '' || type === '0') entries.set(name, entry);
  else if (type === '1' || type === '2')
    entries.set(name, { ...entry, link: targetOf(name, link, type === '1') });
}

async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
  return buffer.subarray(0, bytesRead);
}

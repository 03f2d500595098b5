// Reads the fields of a tar archive's headers and extended headers, and refuses those that say nothing sensible.

export const blockBytes = 512;

/** What headers before a file's own say in the place of its own fields. */
export type Extension = {
  path?: string | undefined;
  linkpath?: string | undefined;
  size?: number | undefined;
};

/** What is wrong with a header, for a message that says where it is. */
export class TarFault extends Error {
  override readonly name = 'TarFault';
}

export const isSparse = 'it is sparse, which is not read: write the archive without --sparse';

const fields = {
  name: [0, 100],
  size: [124, 12],
  checksum: [148, 8],
  type: [156, 1],
  link: [157, 100],
  magic: [257, 6],
  prefix: [345, 155],
} as const;

type Field = readonly [at: number, length: number];

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws TarFault for bytes that are not UTF-8: no document of an image could name them */
function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new TarFault('its name is not UTF-8');
  }
}

const untilNul = (bytes: Buffer): Buffer => {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
};

const fieldOf = (header: Buffer, [at, length]: Field): Buffer => untilNul(header.subarray(at, at + length));

/** The sum of all bytes with the checksum's own as spaces; old tars added them as signed numbers. */
export function hasItsChecksum(header: Buffer): boolean {
  const [at, length] = fields.checksum;
  const written = octalOf(fieldOf(header, fields.checksum));
  const sum = (weighed: (byte: number) => number): number =>
    header.reduce((total, byte, position) => {
      const isOwn = position >= at && position < at + length;
      return total + (isOwn ? 32 : weighed(byte));
    }, 0);
  return written === sum((byte) => byte) || written === sum((byte) => (byte > 127 ? byte - 256 : byte));
}

function octalOf(field: Buffer): number | undefined {
  const digits = field.toString('latin1').trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : undefined;
}

/**
 * Octal, or from 8 GiB on base-256 behind a set bit, as GNU tar and star write it.
 * @throws TarFault
 */
export function sizeOf(header: Buffer): number {
  const [at, length] = fields.size;
  const first = header[at] ?? 0;
  const size =
    first < 128
      ? octalOf(fieldOf(header, fields.size))
      : header.subarray(at + 1, at + length).reduce((value, byte) => value * 256 + byte, first & 0x7f);
  // A negative number in base-256 begins with bits that are set, and is too large here.
  if (size === undefined || !Number.isSafeInteger(size)) throw new TarFault('its size is no number of bytes');
  return size;
}

export const isEnd = (header: Buffer): boolean => header.every((byte) => byte === 0);

/** A zero byte is what tars before POSIX wrote for a file. */
export const typeOf = (header: Buffer): string => String.fromCharCode(header[fields.type[0]] || 0x30);

/** @throws TarFault */
export function nameOf(header: Buffer): string {
  const isPosix = fieldOf(header, fields.magic).equals(Buffer.from('ustar'));
  const prefix = isPosix ? textOf(fieldOf(header, fields.prefix)) : '';
  return [prefix, textOf(fieldOf(header, fields.name))].filter(Boolean).join('/');
}

/** @throws TarFault */
export const linkOf = (header: Buffer): string => textOf(fieldOf(header, fields.link));

/** GNU tar writes a long name (`L`), or a long link (`K`), as an entry of its own before. */
export const longNameOf = (type: string, bytes: Buffer): Extension => {
  const name = textOf(untilNul(bytes));
  return type === 'L' ? { path: name } : { linkpath: name };
};

/**
 * `length key=value\n`, over and over: POSIX's extended header.
 * @throws TarFault
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
 */
export function paxExtensionOf(bytes: Buffer): Extension {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    const [digits = ''] = /^\d{1,9}(?= )/.exec(bytes.toString('latin1', at, at + 10)) ?? [];
    const end = at + Number(digits);
    const record = bytes.subarray(at + digits.length + 1, end - 1);
    const equals = record.indexOf(0x3d);
    if (digits === '' || end > bytes.length || bytes[end - 1] !== 0x0a || equals < 1)
      throw new TarFault('its extended header is damaged');
    records.set(record.toString('latin1', 0, equals), record.subarray(equals + 1));
    at = end;
  }
  if ([...records.keys()].some((key) => key.startsWith('GNU.sparse.'))) throw new TarFault(isSparse);
  return {
    path: pathOf(records.get('path')),
    linkpath: pathOf(records.get('linkpath')),
    size: numberOf(records.get('size')),
  };
}

/** A record without a value takes an earlier one back. */
function pathOf(value: Buffer | undefined): string | undefined {
  if (!value?.length) return undefined;
  if (value.includes(0)) throw new TarFault('its name holds a zero byte');
  return textOf(value);
}

function numberOf(value: Buffer | undefined): number | undefined {
  if (!value?.length) return undefined;
  const digits = value.toString('latin1');
  const size = /^\d{1,16}$/.test(digits) ? Number(digits) : Number.NaN;
  if (!Number.isSafeInteger(size)) throw new TarFault('its size is no number of bytes');
  return size;
}

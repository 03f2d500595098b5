// Reads the fields of a tar archive's headers and extended headers, and refuses those that say nothing sensible.

export const blockBytes = 512;

/** What headers before a file's own say in the place of its own fields. */
export type Extension = {
  path?: string | undefined;
  linkpath?: string | undefined;
  size?: number | undefined;
  /** Of a sparse file: its own size, and where its bytes belong in it; without a map, that is in front of its data. */
  sparse?: { size: number; map?: number[] | undefined } | undefined;
};

/** What is wrong with a header, for a message that says where it is. */
export class TarFault extends Error {
  override readonly name = 'TarFault';
}

const fields = {
  name: [0, 100],
  size: [124, 12],
  checksum: [148, 8],
  type: [156, 1],
  link: [157, 100],
  magic: [257, 6],
  prefix: [345, 155],
  starPrefix: [345, 131],
} as const;

type Field = readonly [at: number, length: number];

/**
 * A name in an archive, a character for each byte: names have the encoding of whoever wrote them, and most are UTF-8.
 * What separates the steps of a path is one byte in all of them.
 */
const byteText = (bytes: Buffer): string => bytes.toString('latin1');

export const byteTextOf = (name: string): string => byteText(Buffer.from(name));

export const nameOfByteText = (text: string): string => Buffer.from(text, 'latin1').toString();

function untilNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

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

/** @throws TarFault */
export const sizeOf = (header: Buffer): number => numberAt(header, fields.size);

/**
 * Octal, or from 8 GiB on base-256 behind a set bit, as GNU tar and star write it.
 * @throws TarFault
 */
export function numberAt(header: Buffer, field: Field): number {
  const [at, length] = field;
  const first = header[at] ?? 0;
  const size =
    first < 128
      ? octalOf(fieldOf(header, field))
      : header.subarray(at + 1, at + length).reduce((value, byte) => value * 256 + byte, first & 0x7f);
  // A negative number in base-256 begins with bits that are set, and is too large here.
  if (size === undefined || !Number.isSafeInteger(size)) {
    throw new TarFault('its size is no number of bytes');
  }
  return size;
}

export const isEnd = (header: Buffer): boolean => header.every((byte) => byte === 0);

/** A zero byte is what tars before POSIX wrote for a file. */
export const typeOf = (header: Buffer): string => String.fromCharCode(header[fields.type[0]] || 0x30);

/** As a {@link byteText}, as all names here. star has times behind its shorter prefix. */
export function nameOf(header: Buffer): string {
  const isPosix = fieldOf(header, fields.magic).equals(Buffer.from('ustar'));
  const isStar = header.toString('latin1', 508, 512) === 'tar\0';
  const prefix = isPosix ? fieldOf(header, isStar ? fields.starPrefix : fields.prefix) : Buffer.alloc(0);
  return [prefix, fieldOf(header, fields.name)]
    .filter(({ length }) => length > 0)
    .map(byteText)
    .join('/');
}

export const linkOf = (header: Buffer): string => byteText(fieldOf(header, fields.link));

/** GNU tar writes a long name (`L`), or a long link (`K`), as an entry of its own before. */
export function longNameOf(type: string, bytes: Buffer): Extension {
  const name = byteText(untilNul(bytes));
  return type === 'L' ? { path: name } : { linkpath: name };
}

/**
 * `length key=value\n`, over and over: POSIX's extended header.
 * @throws TarFault
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
 */
export function paxExtensionOf(bytes: Buffer): Extension {
  const records = new Map<string, Buffer>();
  const pairs: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [digits = ''] = /^\d{1,9}(?= )/.exec(bytes.toString('latin1', at, at + 10)) ?? [];
    const end = at + Number(digits);
    const record = bytes.subarray(at + digits.length + 1, end - 1);
    const equals = record.indexOf(0x3d);
    if (digits === '' || end > bytes.length || bytes[end - 1] !== 0x0a || equals < 1) {
      throw new TarFault('its extended header is damaged');
    }
    const [key, value] = [record.toString('latin1', 0, equals), record.subarray(equals + 1)];
    if (/^GNU\.sparse\.(offset|numbytes)$/.test(key)) {
      pairs.push(numberOf(value) ?? Number.NaN);
    } else {
      records.set(key, value);
    }
    at = end;
  }
  const sparse = sparseOf(records, pairs);
  return {
    path: (sparse && pathOf(records.get('GNU.sparse.name'))) ?? pathOf(records.get('path')),
    linkpath: pathOf(records.get('linkpath')),
    size: numberOf(records.get('size')),
    sparse,
  };
}

/**
 * GNU tar's sparse files in three versions: pairs of records (0.0), a list in one (0.1), both without saying which
 * version it is; and a map in front of the data (1.0).
 * @see https://www.gnu.org/software/tar/manual/html_node/PAX-0.html
 */
function sparseOf(records: ReadonlyMap<string, Buffer>, pairs: number[]): Extension['sparse'] {
  const textOf = (key: string): string | undefined => records.get(`GNU.sparse.${key}`)?.toString('latin1');
  const isSparse = pairs.length > 0 || [...records.keys()].some((key) => key.startsWith('GNU.sparse.'));
  if (!isSparse) {
    return undefined;
  }
  const version = [textOf('major') ?? '0', textOf('minor') ?? '0'].join('.');
  const size = numberOf(records.get('GNU.sparse.realsize') ?? records.get('GNU.sparse.size'));
  if (size === undefined || !['0.0', '0.1', '1.0'].includes(version)) {
    throw new TarFault('it is sparse in an unknown form');
  }
  if (version === '1.0') {
    return { size };
  }
  const list = textOf('map');
  return {
    size,
    map: list ? list.split(',').map((digits) => numberOf(Buffer.from(digits)) ?? Number.NaN) : pairs,
  };
}

/** A record without a value takes an earlier one back. */
function pathOf(value: Buffer | undefined): string | undefined {
  if (!value?.length) {
    return undefined;
  }
  if (value.includes(0)) {
    throw new TarFault('its name holds a zero byte');
  }
  return byteText(value);
}

function numberOf(value: Buffer | undefined): number | undefined {
  if (!value?.length) {
    return undefined;
  }
  const digits = value.toString('latin1');
  const size = /^\d{1,16}$/.test(digits) ? Number(digits) : Number.NaN;
  if (!Number.isSafeInteger(size)) {
    throw new TarFault('its size is no number of bytes');
  }
  return size;
}

// Gzip, to the byte: a member of exactly the size asked for, filled up in its header's extra field.

import { promisify } from 'node:util';
import { crc32, deflateRaw } from 'node:zlib';

const fixedHeaderBytes = 10;
const trailerBytes = 8;
const subfieldHeaderBytes = 6;
const maxExtraBytes = 65_535;

/**
 * Compresses into one gzip member (RFC 1952), of `exactBytes` where that is given. An extra field is what
 * fills it up because every reader skips it; Go's refuses names and comments over 511 bytes.
 * @throws RangeError when the extra field cannot make up for the difference: 6 to 65,537 bytes, or none
 */
export async function gzip(content: Buffer, exactBytes?: number): Promise<Buffer> {
  const deflated = await promisify(deflateRaw)(content, { level: 1 });
  const plainBytes = fixedHeaderBytes + deflated.length + trailerBytes;
  const extra = extraField((exactBytes ?? plainBytes) - plainBytes);
  const header = Buffer.from([0x1f, 0x8b, 8, extra.length > 0 ? 4 : 0, 0, 0, 0, 0, 0, 255]);
  const trailer = Buffer.alloc(trailerBytes);
  trailer.writeUInt32LE(crc32(content), 0);
  trailer.writeUInt32LE(content.length % 2 ** 32, 4);
  return Buffer.concat([header, extra, deflated, trailer]);
}

/** A length, and one subfield, `eu`, of zeros. */
function extraField(bytes: number): Buffer {
  if (bytes === 0) {
    return Buffer.alloc(0);
  }
  if (bytes < subfieldHeaderBytes || bytes - 2 > maxExtraBytes) {
    throw new RangeError(
      `an extra field cannot have ${bytes} bytes: choose a content that compresses to fewer`,
    );
  }
  const field = Buffer.alloc(bytes);
  field.writeUInt16LE(bytes - 2, 0);
  field.write('eu', 2, 'latin1');
  field.writeUInt16LE(bytes - subfieldHeaderBytes, 4);
  return field;
}

// A new client token: recognisable by its prefix, random, and with a checksum that shows typing errors.

import { createHash, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Of 62 characters each: 238 bits. */
const randomCharacters = 40;

/** Enough for the 32 bits of the checksum. */
const checksumCharacters = 6;

const randomText = () =>
  Array.from({ length: randomCharacters }, () => alphabet[randomInt(alphabet.length)]).join('');

/** CRC-32 of all that stands before it, in base 62: a secret scanner needs no network to know a real token. */
function checksumOf(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let n = 0; n < checksumCharacters; n++) {
    digits = `${alphabet[rest % alphabet.length]}${digits}`;
    rest = Math.floor(rest / alphabet.length);
  }
  return digits;
}

/** `eup_<client>_<random><checksum>` */
export function mintToken(client: string): string {
  const token = `eup_${client}_${randomText()}`;
  return `${token}${checksumOf(token)}`;
}

/** Whether a text has a token's form and its own checksum: what a secret scanner can ask. */
export function isMintedToken(text: string): boolean {
  const [, token, checksum] = /^(eup_[a-z0-9-]+_[A-Za-z0-9]{40})([A-Za-z0-9]{6})$/.exec(text) ?? [];
  return token !== undefined && checksumOf(token) === checksum;
}

export const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

// Bytes that look random and do not compress, the same ones for the same seed.

import { createCipheriv, createHash, randomBytes } from 'node:crypto';

export const newSeed = (): string => randomBytes(4).toString('hex');

/** The keystream of AES-256 in counter mode under a key made of the seed and a name. */
export function seededBytes(seed: string, name: string, length: number): Buffer {
  const key = createHash('sha256').update(`${seed}/${name}`).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

// Random bytes for tests, made from a seed that is printed with a failure, which it repeats: SEED=… npm test.

import { createCipheriv, createHash, randomInt } from 'node:crypto';

const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
console.info(`SEED=${seed}`);

let drawn = 0;

/** `length` bytes that no earlier draw of this run gave. */
export function randomBytes(length: number): Buffer {
  const key = createHash('sha256').update(`${seed}/${drawn++}`).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

export const digestOf = (bytes: Uint8Array | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

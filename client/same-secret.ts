// Compares secrets in constant time.

import { createHash, timingSafeEqual } from 'node:crypto';

const digestOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** Digests have one length, whatever the secrets have. */
export const sameSecret = (one: string, other: string): boolean =>
  timingSafeEqual(digestOf(one), digestOf(other));

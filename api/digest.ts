// The digest of bytes, as ECR and OCI write it.

import { createHash, type Hash } from 'node:crypto';

/** Of what a hash has taken in; the hash takes no more. */
export const sha256OfHash = (hash: Hash): string => `sha256:${hash.digest('hex')}`;

/** A text counts as its UTF-8. */
export const sha256Of = (bytes: Uint8Array | string): string =>
  sha256OfHash(createHash('sha256').update(bytes));

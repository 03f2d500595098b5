// The digest of bytes as ECR and OCI write it.

import { createHash } from 'node:crypto';

export const sha256Of = (bytes: Uint8Array | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

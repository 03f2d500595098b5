// The digests this registry takes: ECR's, which are SHA-256.

import { OciError } from './oci-errors.ts';

/** @throws OciError DIGEST_INVALID */
export function digestOf(text: string | null): string {
  if (text !== null && /^sha256:[0-9a-f]{64}$/.test(text)) {
    return text;
  }
  throw new OciError('DIGEST_INVALID', 'ECR takes digests of the form sha256:<64 hexadecimal digits> alone');
}

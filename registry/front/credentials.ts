// The password or token of a request.

import type { IncomingMessage } from 'node:http';
import { tokenOfAuthorization } from '../../api/authorization.ts';
import { OciError } from './oci-errors.ts';

/**
 * The password of Basic, or the token of Bearer; the user's name does not matter. Undefined where there is no
 * `Authorization` at all: one that cannot be read is refused, and not taken for an anonymous request.
 * @throws OciError UNAUTHORIZED
 */
export function secretOf({ headersDistinct }: IncomingMessage): string | undefined {
  const [authorization, ...others] = headersDistinct.authorization ?? [];
  if (authorization === undefined) {
    return undefined;
  }
  const secret = others.length > 0 ? undefined : tokenOfAuthorization(authorization);
  if (secret) {
    return secret;
  }
  throw new OciError(
    'UNAUTHORIZED',
    'the Authorization header is neither Basic with a user and a password, nor Bearer with a token',
  );
}

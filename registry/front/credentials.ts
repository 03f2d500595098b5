// What a request brings to say who it is.

import type { IncomingMessage } from 'node:http';
import { OciError } from './oci-errors.ts';

/**
 * The password of Basic, or the token of Bearer; the user's name means nothing. Undefined where there is no
 * `Authorization` at all: one that cannot be read is refused, for nobody takes what follows to be anonymous.
 * @throws OciError UNAUTHORIZED
 */
export function secretOf({ headersDistinct }: IncomingMessage): string | undefined {
  const [authorization, ...others] = headersDistinct.authorization ?? [];
  if (authorization === undefined) {
    return undefined;
  }
  const secret = others.length > 0 ? '' : bearerOf(authorization) || basicPasswordOf(authorization);
  if (secret) {
    return secret;
  }
  throw new OciError(
    'UNAUTHORIZED',
    'the Authorization header is neither Basic with a user and a password, nor Bearer with a token',
  );
}

const bearerOf = (authorization: string): string | undefined => /^bearer +(\S+)$/i.exec(authorization)?.[1];

function basicPasswordOf(authorization: string): string | undefined {
  const encoded = /^basic +([a-z0-9+/]+=*)$/i.exec(authorization)?.[1];
  if (encoded === undefined) {
    return undefined;
  }
  return /^[^:]*:(.*)$/s.exec(Buffer.from(encoded, 'base64').toString())?.[1];
}

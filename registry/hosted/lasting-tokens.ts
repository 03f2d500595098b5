// A token that was good when a request came is good for that request, however long its body takes. A revoked one is not.

import { ProxyError } from '../../api/proxy-error.ts';
import type { ServeServices } from '../../lambda/serve.ts';

type TokenCheckers = ServeServices['tokens'];

/** Passes over that the token has expired, once it was good. */
function lasting<Principal>(
  verify: (token: string) => Promise<Principal>,
): (token: string) => Promise<Principal> {
  let known: Principal | undefined;
  return async (token) => {
    try {
      known = await verify(token);
      return known;
    } catch (error) {
      if (known && error instanceof ProxyError && error.code === 'ExpiredTokenException') {
        return known;
      }
      throw error;
    }
  };
}

/**
 * The checkers of one request. The five steps authenticate each part again, so that a revocation holds from the next
 * one on; a client cannot send another token in the middle of a body, and issuers give tokens for five minutes.
 */
export function lastingTokens({ sessionTokens, verifyOidcToken, ...others }: TokenCheckers): TokenCheckers {
  return {
    ...others,
    verifyOidcToken: lasting(verifyOidcToken),
    sessionTokens: sessionTokens && { ...sessionTokens, verify: lasting(sessionTokens.verify) },
  };
}

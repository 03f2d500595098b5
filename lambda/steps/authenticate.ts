// Step 1, authenticate: a token becomes a Principal, or the request ends with 401.

import { tokenOfAuthorization } from '../../api/authorization.ts';
import { maxTokenCharacters } from '../../api/limits.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { sessionTokenPrefix } from '../../api/session-tokens.ts';
import type { Principal } from '../../policy/principal.ts';
import { verifyClientToken } from '../identity/client-token.ts';
import type { TokenVerifier } from '../identity/oidc-token.ts';
import type { SecretReader } from '../identity/secret.ts';
import type { SessionTokens } from '../identity/session-token.ts';
import type { Headers } from '../incoming-call.ts';

/** What tokens are checked against: the secret's hashes and keys, and the configured issuers. */
export type TokenCheckers = {
  readonly readSecret: SecretReader;
  readonly verifyOidcToken: TokenVerifier;
  /** Undefined where they are turned off. */
  readonly sessionTokens?: SessionTokens | undefined;
};

/** The token of a request, not yet checked; empty where there is none. */
export const tokenOf = (headers: Headers): string =>
  tokenOfAuthorization(headers.authorization ?? '') ?? headers['x-amz-security-token'] ?? '';

type TokenKind = {
  readonly form: RegExp;
  readonly check: (token: string, checkers: TokenCheckers) => Promise<Principal>;
};

const noSessionTokens = () =>
  new ProxyError('UnrecognizedClientException', 'This proxy does not use session tokens.');

/** The kinds of tokens, distinguished by their form alone. */
const kinds: readonly TokenKind[] = [
  { form: /^eup_/, check: (token, { readSecret }) => verifyClientToken(token, readSecret) },
  {
    form: new RegExp(`^${sessionTokenPrefix}`),
    check: async (token, { sessionTokens }) => {
      if (!sessionTokens) {
        throw noSessionTokens();
      }
      return sessionTokens.verify(token);
    },
  },
  {
    form: /^[\w-]+\.[\w-]+\.[\w-]+$/,
    check: (token, { verifyOidcToken }) => verifyOidcToken(token),
  },
];

/**
 * Takes the token from `Authorization: Bearer`, from the password of `Authorization: Basic`, or from
 * `X-Amz-Security-Token`, where an AWS SDK puts a session token.
 *
 * @throws UnrecognizedClientException without a token, or with one that nobody has;
 *   ExpiredTokenException with one that is no longer valid.
 */
export async function authenticate(headers: Headers, checkers: TokenCheckers): Promise<Principal> {
  const token = tokenOf(headers);
  if (token.length > maxTokenCharacters) {
    throw new ProxyError(
      'UnrecognizedClientException',
      `A token has at most ${maxTokenCharacters} characters.`,
    );
  }
  const kind = kinds.find(({ form }) => form.test(token));
  if (!kind) {
    throw new ProxyError('UnrecognizedClientException');
  }
  return kind.check(token, checkers);
}

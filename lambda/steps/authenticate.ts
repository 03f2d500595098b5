// Step 1, authenticate: a token becomes a Principal, or the request ends with 401.

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
  /** Where the proxy gives them. */
  readonly sessionTokens?: SessionTokens | undefined;
};

function passwordOf(basic: string): string {
  const decoded = Buffer.from(basic, 'base64').toString();
  return decoded.slice(decoded.indexOf(':') + 1);
}

/** How each scheme of `Authorization` carries the token (RFC 6750, RFC 7617). */
const tokenOfScheme: Readonly<Record<string, (credentials: string) => string>> = {
  bearer: (credentials) => credentials,
  basic: passwordOf,
};

/** What a request has for a token, whatever it is. */
export function tokenOf(headers: Headers): string {
  const [, scheme = '', credentials = ''] = /^(\S+) +(\S+)$/.exec(headers.authorization?.trim() ?? '') ?? [];
  const read = tokenOfScheme[scheme.toLowerCase()];
  return (read ? read(credentials) : headers['x-amz-security-token']) ?? '';
}

type TokenKind = {
  readonly form: RegExp;
  readonly check: (token: string, checkers: TokenCheckers) => Promise<Principal>;
};

const noSessionTokens = () =>
  new ProxyError('UnrecognizedClientException', 'This proxy gives no session tokens, and takes none.');

/** The kinds of tokens, told apart by their form alone. */
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
 * @throws UnrecognizedClientException without a token, or with one that is nobody's;
 *   ExpiredTokenException with one that was valid once.
 */
export async function authenticate(headers: Headers, checkers: TokenCheckers): Promise<Principal> {
  const token = tokenOf(headers);
  if (token.length > maxTokenCharacters) {
    throw new ProxyError(
      'UnrecognizedClientException',
      `A token has ${maxTokenCharacters} characters at most.`,
    );
  }
  const kind = kinds.find(({ form }) => form.test(token));
  if (!kind) {
    throw new ProxyError('UnrecognizedClientException');
  }
  return kind.check(token, checkers);
}

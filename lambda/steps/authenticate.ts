// Step 1, authenticate: a token becomes a Principal, or the request ends with 401.

import { createHash, timingSafeEqual } from 'node:crypto';
import { ProxyError } from '../errors.ts';
import type { Principal } from '../principal.ts';
import type { ClientToken, SecretReader } from '../secret.ts';

/** Request headers by lower-case name. */
export type Headers = Readonly<Record<string, string | undefined>>;

/** `eup_<client>_<random>`: the client's name is read from it to find the hashes to compare with. */
const clientTokenPattern = /^eup_([a-z0-9]+(?:-[a-z0-9]+)*)_[A-Za-z0-9]{1,128}$/;

const passwordOf = (basic: string): string => {
  const decoded = Buffer.from(basic, 'base64').toString();
  return decoded.slice(decoded.indexOf(':') + 1);
};

/** How each scheme of `Authorization` carries the token (RFC 6750, RFC 7617). */
const tokenOfScheme: Readonly<Record<string, (credentials: string) => string>> = {
  bearer: (credentials) => credentials,
  basic: passwordOf,
};

const tokenOf = (headers: Headers): string | undefined => {
  const [, scheme = '', credentials = ''] = /^(\S+) +(\S+)$/.exec(headers.authorization?.trim() ?? '') ?? [];
  const read = tokenOfScheme[scheme.toLowerCase()];
  return read ? read(credentials) : headers['x-amz-security-token'];
};

const sha256 = (text: string) => createHash('sha256').update(text).digest();

const isExpired = ({ expiresAt }: ClientToken) =>
  expiresAt !== undefined && Date.parse(expiresAt) <= Date.now();

/**
 * Takes the token from `Authorization: Bearer`, from the password of `Authorization: Basic`, or from
 * `X-Amz-Security-Token`, where an AWS SDK puts a session token.
 *
 * @throws UnrecognizedClientException without a token, or with one that no client has;
 *   ExpiredTokenException with one that was valid once.
 */
export const authenticate = async (headers: Headers, readSecret: SecretReader): Promise<Principal> => {
  const token = tokenOf(headers);
  const client = token && clientTokenPattern.exec(token)?.[1];
  if (!token || !client) throw new ProxyError('UnrecognizedClientException');
  const { clients } = await readSecret();
  const hash = sha256(token);
  const known = Object.hasOwn(clients, client) ? clients[client] : undefined;
  const match = known?.find((candidate) => timingSafeEqual(Buffer.from(candidate.sha256, 'hex'), hash));
  if (!match) throw new ProxyError('UnrecognizedClientException');
  if (isExpired(match)) throw new ProxyError('ExpiredTokenException');
  return { type: 'Client', id: client };
};

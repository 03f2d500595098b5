// Client tokens: `eup_<client>_<random>`, whose SHA-256 is in the secret. A valid one becomes a Client.

import { createHash, timingSafeEqual } from 'node:crypto';
import { ProxyError } from '../../api/proxy-error.ts';
import { type ClientToken, clientNameOf, type Secret } from '../../api/secret.ts';
import type { Client } from '../../policy/principal.ts';
import type { SecretReader } from './secret.ts';

/** How a client token is identified in the secret. */
export type KnownBy = { readonly client: string; readonly sha256: string };

const isSameHash = (one: string, other: string) =>
  timingSafeEqual(Buffer.from(one, 'hex'), Buffer.from(other, 'hex'));

const isExpired = ({ expiresAt }: ClientToken) =>
  expiresAt !== undefined && Date.parse(expiresAt) <= Date.now();

const rowOf = ({ clients }: Secret, { client, sha256 }: KnownBy): ClientToken | undefined =>
  Object.hasOwn(clients, client)
    ? clients[client]?.find((candidate) => isSameHash(candidate.sha256, sha256))
    : undefined;

/** @throws UnrecognizedClientException for a text that is not a client token */
export function knownByOf(token: string): KnownBy {
  const client = clientNameOf(token);
  if (!client) {
    throw new ProxyError('UnrecognizedClientException');
  }
  return { client, sha256: createHash('sha256').update(token).digest('hex') };
}

/**
 * The row of a token that is valid now. One that is not in the secret may have been made since it was read.
 *
 * @throws UnrecognizedClientException with a token that no client has;
 *   ExpiredTokenException with one that is no longer valid.
 */
export async function findClientToken(knownBy: KnownBy, readSecret: SecretReader): Promise<ClientToken> {
  const row = rowOf(await readSecret(), knownBy) ?? rowOf(await readSecret({ afresh: true }), knownBy);
  if (!row) {
    throw new ProxyError('UnrecognizedClientException');
  }
  if (isExpired(row)) {
    throw new ProxyError('ExpiredTokenException');
  }
  return row;
}

/** @throws as {@link knownByOf} and {@link findClientToken} */
export async function verifyClientToken(token: string, readSecret: SecretReader): Promise<Client> {
  const knownBy = knownByOf(token);
  await findClientToken(knownBy, readSecret);
  return { type: 'Client', id: knownBy.client };
}

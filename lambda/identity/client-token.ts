// Client tokens: `eup_<client>_<random>`, of which the secret holds the SHA-256; one becomes a Client.

import { createHash, timingSafeEqual } from 'node:crypto';
import { ProxyError } from '../../api/proxy-error.ts';
import { type ClientToken, clientNameOf } from '../../api/secret.ts';
import type { Client } from '../../policy/principal.ts';
import type { SecretReader } from './secret.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest();

const isExpired = ({ expiresAt }: ClientToken) =>
  expiresAt !== undefined && Date.parse(expiresAt) <= Date.now();

/**
 * @throws UnrecognizedClientException with a token that no client has;
 *   ExpiredTokenException with one that was valid once.
 */
export async function verifyClientToken(token: string, readSecret: SecretReader): Promise<Client> {
  const client = clientNameOf(token);
  if (!client) {
    throw new ProxyError('UnrecognizedClientException');
  }
  const { clients } = await readSecret();
  const hash = sha256(token);
  const known = Object.hasOwn(clients, client) ? clients[client] : undefined;
  const match = known?.find((candidate) => timingSafeEqual(Buffer.from(candidate.sha256, 'hex'), hash));
  if (!match) {
    throw new ProxyError('UnrecognizedClientException');
  }
  if (isExpired(match)) {
    throw new ProxyError('ExpiredTokenException');
  }
  return { type: 'Client', id: client };
}

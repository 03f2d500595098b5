// Client tokens: `eup_<client>_<random>`, of which the secret holds the SHA-256; one becomes a Client.

import { createHash, timingSafeEqual } from 'node:crypto';
import { ProxyError } from '../../api/errors.ts';
import type { Client } from '../../policy/principal.ts';
import type { ClientToken, SecretReader } from './secret.ts';

const clientName = '[a-z0-9]+(?:-[a-z0-9]+)*';
const clientNamePattern = new RegExp(`^${clientName}$`);

/** The client's name is read from the token to find the hashes to compare with. */
const clientTokenPattern = new RegExp(`^eup_(${clientName})_[A-Za-z0-9]{1,128}$`);

export const isClientName = (text: string): boolean => text.length <= 64 && clientNamePattern.test(text);

const sha256 = (text: string) => createHash('sha256').update(text).digest();

const isExpired = ({ expiresAt }: ClientToken) =>
  expiresAt !== undefined && Date.parse(expiresAt) <= Date.now();

/**
 * @throws UnrecognizedClientException with a token that no client has;
 *   ExpiredTokenException with one that was valid once.
 */
export const verifyClientToken = async (token: string, readSecret: SecretReader): Promise<Client> => {
  const client = clientTokenPattern.exec(token)?.[1];
  if (!client) throw new ProxyError('UnrecognizedClientException');
  const { clients } = await readSecret();
  const hash = sha256(token);
  const known = Object.hasOwn(clients, client) ? clients[client] : undefined;
  const match = known?.find((candidate) => timingSafeEqual(Buffer.from(candidate.sha256, 'hex'), hash));
  if (!match) throw new ProxyError('UnrecognizedClientException');
  if (isExpired(match)) throw new ProxyError('ExpiredTokenException');
  return { type: 'Client', id: client };
};

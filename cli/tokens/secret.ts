// The secret as the commands see it: the members they change, and whatever else is in it, left as it is.

import { z } from 'zod';
import { clientToken } from '../../api/secret.ts';
import { CommandError } from '../failure.ts';
import type { ClientTokens } from './client-tokens.ts';

const withClients = z.looseObject({
  clients: z.record(z.string(), z.array(clientToken.loose().extend({ id: z.string().optional() }))),
});

/** @throws CommandError, which does not quote the secret */
export function parseSecret<T>(schema: z.ZodType<T>, text: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new CommandError('The secret is not the JSON that the proxy keeps in it.');
  }
}

export const writtenSecret = (secret: object): string => `${JSON.stringify(secret, null, 2)}\n`;

export const readClients = (text: string): ReadonlyMap<string, ClientTokens> =>
  new Map(Object.entries(parseSecret(withClients, text).clients));

/** Changes one client's tokens; a client without any is taken out. */
export function changeClient(
  text: string,
  client: string,
  change: (tokens: ClientTokens) => ClientTokens,
): string {
  const secret = parseSecret(withClients, text);
  const { [client]: tokens = [], ...others } = secret.clients;
  const changed = change(tokens);
  const clients = changed.length > 0 ? { ...others, [client]: changed } : others;
  return writtenSecret({ ...secret, clients });
}

// The secret as the token commands see it: every client's tokens, and whatever else is in it, left as it is.

import { z } from 'zod';
import { clientToken } from '../../lambda/secret.ts';
import { CommandError } from '../failure.ts';
import type { ClientTokens } from './client-tokens.ts';

const schema = z.looseObject({
  clients: z.record(z.string(), z.array(clientToken.loose().extend({ id: z.string().optional() }))),
});

/** @throws CommandError, which does not quote the secret */
const parse = (text: string) => {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new CommandError('The secret is not the JSON that the proxy keeps in it.');
  }
};

export const readClients = (text: string): ReadonlyMap<string, ClientTokens> =>
  new Map(Object.entries(parse(text).clients));

/** Changes one client's tokens; a client without any is taken out. */
export const changeClient = (
  text: string,
  client: string,
  change: (tokens: ClientTokens) => ClientTokens,
): string => {
  const secret = parse(text);
  const { [client]: tokens = [], ...others } = secret.clients;
  const changed = change(tokens);
  const clients = changed.length > 0 ? { ...others, [client]: changed } : others;
  return `${JSON.stringify({ ...secret, clients }, null, 2)}\n`;
};

// The secret as the commands see it: the members they change, and whatever else is in it, left as it is.

import { z } from 'zod';
import { withoutByteOrderMark } from '../../api/byte-order-mark.ts';
import { clientToken } from '../../api/secret.ts';
import { CommandError } from '../failure.ts';
import type { ClientTokens } from './client-tokens.ts';

/** An invalid client does not stop the commands for the others. */
const withClients = z.looseObject({ clients: z.record(z.string(), z.unknown()) });

const clientTokens = z.array(clientToken.loose().extend({ id: z.string().optional() }));

/** @throws CommandError, which does not quote the secret */
export function parseSecret<T>(schema: z.ZodType<T>, text: string): T {
  try {
    return schema.parse(JSON.parse(withoutByteOrderMark(text)));
  } catch {
    throw new CommandError('The secret is not the JSON that the proxy keeps in it.');
  }
}

export const writtenSecret = (secret: object): string => `${JSON.stringify(secret, null, 2)}\n`;

/** The clients with their tokens, and the names of those that are in another form. */
export type Clients = { readonly tokens: ReadonlyMap<string, ClientTokens>; readonly odd: readonly string[] };

export function readClients(text: string): Clients {
  const read = Object.entries(parseSecret(withClients, text).clients).map(
    ([name, list]) => [name, clientTokens.safeParse(list).data] as const,
  );
  return {
    tokens: new Map(read.flatMap(([name, tokens]) => (tokens ? [[name, tokens] as const] : []))),
    odd: read.flatMap(([name, tokens]) => (tokens ? [] : [name])),
  };
}

function tokensOf(list: unknown, client: string): ClientTokens {
  const { data } = clientTokens.safeParse(list);
  if (data) {
    return data;
  }
  throw new CommandError(
    `The secret does not hold the tokens of ${client} in their form: correct it by hand, or revoke ${client} --all and create it again.`,
  );
}

/** What a command makes of a client's tokens; none is what becomes of all of them, whatever their form. */
export type Change = 'none' | ((tokens: ClientTokens) => ClientTokens);

/** Changes one client's tokens; a client without any is taken out. */
export function changeClient(text: string, client: string, change: Change): string {
  const secret = parseSecret(withClients, text);
  const { [client]: list = [], ...others } = secret.clients;
  const changed = change === 'none' ? [] : change(tokensOf(list, client));
  const clients = changed.length > 0 ? { ...others, [client]: changed } : others;
  return writtenSecret({ ...secret, clients });
}

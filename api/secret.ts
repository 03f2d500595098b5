// The proxy's secret as JSON: the SHA-256 of every client token, and the keys that seal upload ids.

import { z } from 'zod';
import { withoutByteOrderMark } from './byte-order-mark.ts';
import { sealingKeys } from './sealing-keys.ts';

const clientName = '[a-z0-9]+(?:-[a-z0-9]+)*';
const clientNamePattern = new RegExp(`^${clientName}$`);

export const isClientName = (text: string): boolean => text.length <= 64 && clientNamePattern.test(text);

/** A client token, `eup_<client>_<random>`. */
const clientTokenPattern = new RegExp(`^eup_(${clientName})_[A-Za-z0-9]{1,128}$`);

/** The client that a token names, so that its hashes can be found; undefined where it is no client token. */
export const clientNameOf = (token: string): string | undefined => clientTokenPattern.exec(token)?.[1];

export const clientToken = z.object({
  /** Of the whole token, in hexadecimal, which PowerShell writes in capitals; the token itself is kept nowhere. */
  sha256: z.string().regex(/^[0-9a-fA-F]{64}$/),
  createdAt: z.iso.datetime().optional(),
  expiresAt: z.iso.datetime().optional(),
});

export type ClientToken = z.output<typeof clientToken>;

const clientTokens = z.array(clientToken);

const { sealingKey, previousSealingKey } = sealingKeys.shape;

/** Without these there is nothing to check a token against. */
const whole = z.object({
  clients: z.record(z.string(), z.unknown()),
  sealingKey,
  previousSealingKey: z.unknown().optional(),
});

export type Secret = {
  readonly clients: Readonly<Record<string, readonly ClientToken[]>>;
} & z.output<typeof sealingKeys>;

/** What can be used of a secret, and the members that cannot. */
export type SecretReading = { readonly secret: Secret; readonly faults: readonly string[] };

/** A name that is none may be anything, a token that was pasted into the wrong place among them. */
const clientFault = (name: string) =>
  isClientName(name) ? `clients.${name}` : 'a member of clients that is no client’s name';

/**
 * An invalid member disables its own client, or the previous key, and nothing else.
 *
 * @throws what JSON.parse and zod throw, which may quote the secret, where none of it can be used
 */
export function readSecretText(text: string): SecretReading {
  const { clients, ...keys } = whole.parse(JSON.parse(withoutByteOrderMark(text)));
  const rows = Object.entries(clients).map(([name, list]) => {
    const { data: tokens } = isClientName(name) ? clientTokens.safeParse(list) : {};
    return { name, tokens };
  });
  const before = previousSealingKey.safeParse(keys.previousSealingKey);
  return {
    secret: {
      clients: Object.fromEntries(rows.flatMap(({ name, tokens }) => (tokens ? [[name, tokens]] : []))),
      sealingKey: keys.sealingKey,
      ...(before.data && { previousSealingKey: before.data }),
    },
    faults: [
      ...rows.flatMap(({ name, tokens }) => (tokens ? [] : [clientFault(name)])),
      ...(before.success ? [] : ['previousSealingKey']),
    ],
  };
}

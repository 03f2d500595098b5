// The proxy's secret as JSON: the SHA-256 of every client token, and the keys that seal upload ids.

import { z } from 'zod';
import { sealingKeys } from './sealing-keys.ts';

const clientName = '[a-z0-9]+(?:-[a-z0-9]+)*';
const clientNamePattern = new RegExp(`^${clientName}$`);

export const isClientName = (text: string): boolean => text.length <= 64 && clientNamePattern.test(text);

/** A client token, `eup_<client>_<random>`. */
const clientTokenPattern = new RegExp(`^eup_(${clientName})_[A-Za-z0-9]{1,128}$`);

/** The client that a token names, so that its hashes can be found; undefined where it is no client token. */
export const clientNameOf = (token: string): string | undefined => clientTokenPattern.exec(token)?.[1];

export const clientToken = z.object({
  /** Of the whole token, in hexadecimal; the token itself is kept nowhere. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  createdAt: z.iso.datetime().optional(),
  expiresAt: z.iso.datetime().optional(),
});

export const secret = z.object({
  clients: z.record(z.string(), z.array(clientToken)),
  ...sealingKeys.shape,
});

export type ClientToken = z.output<typeof clientToken>;
export type Secret = z.output<typeof secret>;

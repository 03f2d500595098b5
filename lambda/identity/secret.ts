// The proxy's secret in Secrets Manager: the SHA-256 of every client token, and the key that seals upload ids.

import type { SecretsProvider } from '@aws-lambda-powertools/parameters/secrets';
import { z } from 'zod';
import { ProxyError } from '../../api/errors.ts';
import { secretMaxAgeMs } from '../../api/limits.ts';
import { sealingKeys } from '../upload/sealing-keys.ts';

export const clientToken = z.object({
  /** Of the whole token, in hexadecimal; the token itself is kept nowhere. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  createdAt: z.iso.datetime().optional(),
  expiresAt: z.iso.datetime().optional(),
});

const schema = z.object({
  clients: z.record(z.string(), z.array(clientToken)),
  ...sealingKeys.shape,
});

export type ClientToken = z.output<typeof clientToken>;
export type Secret = z.output<typeof schema>;

/** Gives the secret as it was at most `secretMaxAgeMs` ago. */
export type SecretReader = () => Promise<Secret>;

const unavailable = (cause: unknown) =>
  new ProxyError('ServiceUnavailableException', 'The tokens cannot be checked now. Try again.', { cause });

/** What is wrong is said without quoting the secret, as the messages of JSON.parse and zod may do. */
const parse = (text: string): Secret => {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw unavailable(new Error('the secret is not the JSON that lambda/identity/secret.ts describes'));
  }
};

/** @throws ServiceUnavailableException when the secret cannot be read: without it nobody is let in. */
export const secretReader =
  (provider: SecretsProvider, secretId: string): SecretReader =>
  async () => {
    const options = { maxAge: secretMaxAgeMs / 1_000 };
    const text = await provider.get(secretId, options).catch((cause: unknown) => {
      throw unavailable(cause);
    });
    return parse(String(text));
  };

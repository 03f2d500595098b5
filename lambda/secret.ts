// The proxy's secret in Secrets Manager: the SHA-256 of every client token, and the key that seals upload ids.

import type { SecretsProvider } from '@aws-lambda-powertools/parameters/secrets';
import { z } from 'zod';
import { ProxyError } from './errors.ts';
import { secretMaxAgeMs } from './limits.ts';

const clientToken = z.object({
  /** Of the whole token, in hexadecimal; the token itself is kept nowhere. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  createdAt: z.iso.datetime().optional(),
  expiresAt: z.iso.datetime().optional(),
});

const schema = z.object({
  clients: z.record(z.string(), z.array(clientToken)),
  sealingKey: z.string().min(32),
});

export type ClientToken = z.output<typeof clientToken>;
export type Secret = z.output<typeof schema>;

/** Gives the secret as it was at most `secretMaxAgeMs` ago. */
export type SecretReader = () => Promise<Secret>;

/** @throws ServiceUnavailableException when the secret cannot be read: without it nobody is let in. */
export const secretReader = (provider: SecretsProvider, secretId: string): SecretReader => {
  return async () => {
    try {
      const text = await provider.get(secretId, { maxAge: secretMaxAgeMs / 1_000 });
      return schema.parse(JSON.parse(String(text)));
    } catch (failure) {
      // A message of JSON.parse quotes its input, which is the secret: only the kind of failure is passed on.
      const cause = failure instanceof Error ? failure.name : typeof failure;
      throw new ProxyError('ServiceUnavailableException', 'The tokens cannot be checked now. Try again.', {
        cause: new Error(`the secret cannot be read: ${cause}`),
      });
    }
  };
};

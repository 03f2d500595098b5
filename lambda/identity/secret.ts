// Reads the proxy's secret from Secrets Manager.

import type { SecretsProvider } from '@aws-lambda-powertools/parameters/secrets';
import { secretMaxAgeMs } from '../../api/limits.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { type Secret, secret } from '../../api/secret.ts';

/** Gives the secret as it was at most `secretMaxAgeMs` ago. */
export type SecretReader = () => Promise<Secret>;

const unavailable = (cause: unknown) =>
  new ProxyError('ServiceUnavailableException', 'The tokens cannot be checked now. Try again.', { cause });

/** What is wrong is said without quoting the secret, as the messages of JSON.parse and zod may do. */
function parse(text: string): Secret {
  try {
    return secret.parse(JSON.parse(text));
  } catch {
    throw unavailable(new Error('the secret is not the JSON that api/secret.ts describes'));
  }
}

/** @throws ServiceUnavailableException when the secret cannot be read: without it nobody is let in. */
export const secretReader =
  (provider: SecretsProvider, secretId: string): SecretReader =>
  async () => {
    const options = { maxAge: secretMaxAgeMs / 1_000 };
    const text = await provider.get(secretId, options).catch((error: unknown) => {
      throw unavailable(error);
    });
    return parse(String(text));
  };

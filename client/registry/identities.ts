// Who pushes: the bridge itself, or each client with the token that it brings as its password.

import { createHash, timingSafeEqual } from 'node:crypto';
import { AdaptiveLimiter } from '../adaptive-limiter.ts';
import { PartBuffers } from '../part-buffers.ts';
import { ProxyClient, type ProxyClientOptions, type TokenSource } from '../proxy-client.ts';
import type { RetryPolicy } from '../retry.ts';
import { Uploader } from '../uploader.ts';

/** One who pushes; what one has pushed, no other sees. */
export type Identity = { readonly key: string; readonly client: ProxyClient; readonly uploader: Uploader };

/** Whose request this is, by the password it carries; undefined where it must carry another, or one at all. */
export type Identities = (password: string | undefined) => Identity | undefined;

export type IdentityOptions = Omit<ProxyClientOptions, 'token'> & {
  /** The token of requests that carry none. Without it every request must. */
  ownToken?: TokenSource | undefined;
  /** Asked for before a request may use the own token. */
  password?: string | undefined;
  retry?: Partial<RetryPolicy>;
};

const maxIdentities = 256;

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/** All of them share one limiter: they push through one proxy. */
export function identitiesOf({ ownToken, password, retry = {}, ...options }: IdentityOptions): Identities {
  const shared = { retry, limiter: new AdaptiveLimiter(), buffers: new PartBuffers() };
  const identityOf = (key: string, token: TokenSource): Identity => {
    const client = new ProxyClient({ ...options, token });
    return { key, client, uploader: new Uploader(client, shared) };
  };
  const own = ownToken === undefined ? undefined : identityOf('own', ownToken);
  const expected = password === undefined ? undefined : digestOf(password);
  const known = new Map<string, Identity>();

  const byToken = (token: string): Identity => {
    const key = digestOf(token).toString('hex');
    const identity = known.get(key) ?? identityOf(key, token);
    known.delete(key);
    known.set(key, identity);
    for (const oldest of known.keys()) if (known.size > maxIdentities) known.delete(oldest);
    return identity;
  };

  return (given) => {
    if (given === undefined) return expected ? undefined : own;
    if (own && expected && timingSafeEqual(digestOf(given), expected)) return own;
    return byToken(given);
  };
}

/**
 * Whether the proxy knows the client's token, asked with a request that is ill-formed on purpose: the proxy
 * authenticates before it validates.
 * @throws ProxyProblem with status 401 where it does not; any other outcome is for the push to meet
 */
export async function refuseUnknownToken({ client }: Identity): Promise<void> {
  await client
    .send('BatchCheckLayerAvailability', { repositoryName: '', layerDigests: [] })
    .catch((thrown: unknown) => {
      if (!(thrown instanceof Error && 'status' in thrown)) throw thrown;
      if (thrown.status === 401) throw thrown;
    });
}

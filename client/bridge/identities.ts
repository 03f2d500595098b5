// Who calls: each client with a token of its own, or the bridge with its token, lent for a password or to everyone.

import { createHash } from 'node:crypto';
import { PortError } from '../../registry/port.ts';
import { AdaptiveLimiter } from '../adaptive-limiter.ts';
import { PartBuffers } from '../part-buffers.ts';
import { ProxyClient, type ProxyClientOptions, type TokenSource } from '../proxy-client.ts';
import { defaultRetryPolicy, type RetryPolicy } from '../retry.ts';
import { sameSecret } from '../same-secret.ts';
import { Uploader } from '../uploader.ts';
import { tokenCheck } from './token-check.ts';

/** One client; the uploads of one, no other sees. The key is no secret. */
export type Identity = { readonly key: string; readonly uploader: Uploader };

/**
 * Who sends the request, by its token or password. One that is sent is used or refused, never ignored.
 * @throws PortError UnrecognizedClientException; ProxyProblem when the proxy refuses the token, or cannot tell
 */
export type Identities = (secret: string | undefined) => Promise<Identity>;

/** A token of the bridge's own, and who may push with it. */
export type LentToken = { token: TokenSource; to: 'everyone' | { password: string } };

export type IdentityOptions = Omit<ProxyClientOptions, 'token'> & {
  /** Without it every client brings its own token. */
  lent?: LentToken | undefined;
  retry?: Partial<RetryPolicy>;
};

const maxIdentities = 256;

type KnownIdentity = Identity & { readonly checkToken: () => Promise<void> };

/** All of them share one limiter: they push through one proxy. */
export function identitiesOf({ lent, retry, ...options }: IdentityOptions): Identities {
  const policy = { ...defaultRetryPolicy, ...retry };
  const shared = { retry: policy, limiter: new AdaptiveLimiter(), buffers: new PartBuffers() };
  const identityOf = (key: string, token: TokenSource): KnownIdentity => {
    const client = new ProxyClient({ ...options, token });
    return { key, uploader: new Uploader(client, shared), checkToken: tokenCheck(client, policy) };
  };
  return lent ? lender(lent, identityOf('own', lent.token)) : bearers(identityOf);
}

function lender({ to }: LentToken, own: KnownIdentity): Identities {
  const refusal = to === 'everyone' ? refuseSecret : refuseOtherThan(to.password);
  return async (secret) => {
    refusal(secret);
    await own.checkToken();
    return own;
  };
}

function refuseSecret(secret: string | undefined): void {
  if (secret === undefined) {
    return;
  }
  throw new PortError(
    'UnrecognizedClientException',
    'nobody logs in here: the bridge lends its own token. Log out; or start it without --lend-token, so that clients log in',
  );
}

const refuseOtherThan = (password: string) => (secret: string | undefined) => {
  if (secret !== undefined && sameSecret(secret, password)) {
    return;
  }
  throw new PortError(
    'UnrecognizedClientException',
    'log in with any user name, and the password of this bridge',
  );
};

/** Those whose token the proxy does not know are forgotten at once. */
function bearers(identityOf: (key: string, token: string) => KnownIdentity): Identities {
  const known = new Map<string, KnownIdentity>();
  return async (token) => {
    if (token === undefined) {
      throw new PortError(
        'UnrecognizedClientException',
        'log in with any user name, and your token as the password',
      );
    }
    const key = createHash('sha256').update(token).digest('hex');
    const identity = known.get(key) ?? identityOf(key, token);
    await identity.checkToken().catch((error: unknown) => {
      known.delete(key);
      throw error;
    });
    known.delete(key);
    known.set(key, identity);
    for (const oldest of known.keys()) {
      if (known.size > maxIdentities) {
        known.delete(oldest);
      }
    }
    return identity;
  };
}

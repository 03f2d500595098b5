// Where an issuer's public keys come from: its key set, found by OpenID Connect discovery unless configured.

import { isJwks } from 'aws-jwt-verify/jwk';
import { z } from 'zod';
import { type Issuer, isLoopbackUrl } from './issuers.ts';
import { keySetRetryMs, keySetTimeoutMs, maxKeySetBytes } from './limits.ts';

/** Source: OpenID Connect Discovery 1.0, section 4.2. */
const discovered = z.object({ issuer: z.string(), jwks_uri: z.string() });

const discoveryUrlOf = (issuer: string) => `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;

/** The keys of an issuer cannot be had. The message names the issuer's own addresses and nothing else. */
export class KeySetError extends Error {
  override readonly name = 'KeySetError';
}

/** Reads no further than a key set may be long, whatever the other end sends. */
const readBytes = async (response: Response): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxKeySetBytes) throw new Error(`more than ${maxKeySetBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

const get = async (url: string): Promise<Uint8Array> => {
  try {
    const response = await fetch(url, {
      redirect: 'error',
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(keySetTimeoutMs),
    });
    if (response.status !== 200) throw new Error(`HTTP ${response.status}`);
    return await readBytes(response);
  } catch (cause) {
    throw new KeySetError(`${url} cannot be read`, { cause });
  }
};

const discover = async ({ issuer }: Issuer): Promise<string> => {
  const url = discoveryUrlOf(issuer);
  const document = new TextDecoder().decode(await get(url));
  try {
    const found = discovered.parse(JSON.parse(document));
    const secure = found.jwks_uri.startsWith('https://') || isLoopbackUrl(issuer);
    if (found.issuer === issuer && secure) return found.jwks_uri;
  } catch (cause) {
    throw new KeySetError(`${url} is no discovery document`, { cause });
  }
  throw new KeySetError(`${url} is of another issuer, or its key set is not at an https URL`);
};

const isKeySet = (bytes: Uint8Array): boolean => {
  try {
    return isJwks(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return false;
  }
};

const readKeySet = async (url: string): Promise<ArrayBuffer> => {
  const bytes = await get(url);
  if (!isKeySet(bytes)) throw new KeySetError(`${url} is no key set`);
  return new Uint8Array(bytes).buffer;
};

/**
 * Fetches an issuer's key set. After a failure it fails at once for a while: an issuer that is down costs its
 * own tokens one time-out, not one each.
 *
 * @throws KeySetError
 */
export const keySetFetcher = (issuer: Issuer) => {
  let failure: { error: unknown; until: number } | undefined;
  return async (): Promise<ArrayBuffer> => {
    if (failure && Date.now() < failure.until) throw failure.error;
    try {
      const keySet = await readKeySet(issuer.jwksUri ?? (await discover(issuer)));
      failure = undefined;
      return keySet;
    } catch (error) {
      failure = { error, until: Date.now() + keySetRetryMs };
      throw error;
    }
  };
};

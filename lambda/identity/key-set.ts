// Fetches an issuer's public keys: its key set, found by OpenID Connect discovery unless configured.

import { isJwk, type Jwk } from 'aws-jwt-verify/jwk';
import { z } from 'zod';
import { type Issuer, isLoopbackUrl } from '../../api/issuers.ts';
import { keySetTimeoutMs, maxKeySetBytes } from '../../api/limits.ts';

/** Source: OpenID Connect Discovery 1.0, section 4.2. */
const discovered = z.object({ issuer: z.string(), jwks_uri: z.string() });

/** What is no key, or of a kind that nobody here knows, is passed over. Source: RFC 7517, section 5. */
const keySet = z.object({ keys: z.array(z.json()).transform((keys): Jwk[] => keys.filter(isJwk)) });

const discoveryUrlOf = (issuer: string) => `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;

/** The keys of an issuer cannot be had. The message names the issuer's own addresses and nothing else. */
export class KeySetError extends Error {
  override readonly name = 'KeySetError';
}

/** Reads no further than a key set may be long, whatever the other end sends. */
async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxKeySetBytes) {
      throw new Error(`more than ${maxKeySetBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

async function get(url: string): Promise<string> {
  try {
    const response = await fetch(url, {
      redirect: 'error',
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(keySetTimeoutMs),
    });
    if (response.status !== 200) {
      throw new Error(`HTTP ${response.status}`);
    }
    return await readText(response);
  } catch (error) {
    throw new KeySetError(`${url} cannot be read`, { cause: error });
  }
}

async function discover({ issuer }: Issuer): Promise<string> {
  const url = discoveryUrlOf(issuer);
  const document = await get(url);
  try {
    const found = discovered.parse(JSON.parse(document));
    const secure = found.jwks_uri.startsWith('https://') || isLoopbackUrl(issuer);
    if (found.issuer === issuer && secure) {
      return found.jwks_uri;
    }
  } catch (error) {
    throw new KeySetError(`${url} is no discovery document`, { cause: error });
  }
  throw new KeySetError(`${url} is of another issuer, or its key set is not at an https URL`);
}

async function readKeys(url: string): Promise<readonly Jwk[]> {
  const text = await get(url);
  try {
    return keySet.parse(JSON.parse(text)).keys;
  } catch {
    throw new KeySetError(`${url} is no key set`);
  }
}

const fetchOnce = async (issuer: Issuer) => readKeys(issuer.jwksUri ?? (await discover(issuer)));

/**
 * Tries a second time at once: a connection that was reset says nothing about the next.
 *
 * @throws KeySetError
 */
export const fetchKeySet = (issuer: Issuer): Promise<readonly Jwk[]> =>
  fetchOnce(issuer).catch(() => fetchOnce(issuer));

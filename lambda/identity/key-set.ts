// Fetches an issuer's public keys: its key set, found by OpenID Connect discovery unless configured.

import { isJwk, type Jwk } from 'aws-jwt-verify/jwk';
import { z } from 'zod';
import { type Issuer, isLoopbackUrl } from '../../api/issuers.ts';
import { keySetTimeoutMs, maxKeySetBytes } from '../../api/limits.ts';

/** Source: OpenID Connect Discovery 1.0, section 4.2. */
const discovered = z.object({ issuer: z.string(), jwks_uri: z.string() });

/** Entries that are not keys, or of an unknown kind, are ignored. Source: RFC 7517, section 5. */
const keySet = z.object({ keys: z.array(z.json()).transform((keys): Jwk[] => keys.filter(isJwk)) });

/** Temporary statuses: the same address may answer the next time. */
const passingStatuses: ReadonlySet<number> = new Set([408, 425, 429]);

/** Errors of DNS and TLS that are not temporary. */
const lastingCodes: ReadonlySet<unknown> = new Set([
  'ENOTFOUND',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

const isLastingFailure = ({ cause }: Error) =>
  cause instanceof Error && 'code' in cause && lastingCodes.has(cause.code);

const discoveryUrlOf = (issuer: string) => `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;

/** The keys of an issuer cannot be fetched. The message names the issuer's own addresses and what they answered. */
export class KeySetError extends Error {
  override readonly name = 'KeySetError';
  /** Whether the configuration, or the issuer, has to be fixed before trying again can succeed. */
  readonly isLasting: boolean;

  constructor(message: string, options: { isLasting: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.isLasting = options.isLasting;
  }
}

const lasting = (message: string) => new KeySetError(message, { isLasting: true });

/** Reads at most the largest allowed key set, whatever the issuer sends. A byte order mark is left out. */
async function readText(url: string, response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxKeySetBytes) {
      throw lasting(`${url} answers with more than ${maxKeySetBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function assertFound(url: string, { status }: Response) {
  if (status === 200) {
    return;
  }
  if (status >= 300 && status < 400) {
    throw lasting(`${url} redirects (HTTP ${status}), and redirects are not followed`);
  }
  const isLasting = status < 500 && !passingStatuses.has(status);
  throw new KeySetError(`${url} answers with HTTP ${status}`, { isLasting });
}

async function get(url: string): Promise<string> {
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(keySetTimeoutMs),
    });
    assertFound(url, response);
    return await readText(url, response);
  } catch (error) {
    if (error instanceof KeySetError) {
      throw error;
    }
    const isLasting = error instanceof Error && isLastingFailure(error);
    throw new KeySetError(`${url} cannot be read`, { isLasting, cause: error });
  }
}

/** The message quotes nothing of the text, as a parser's own message would. */
function parse<Output>(schema: z.ZodType<Output>, text: string, refusal: string): Output {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw lasting(refusal);
  }
}

async function discover({ issuer }: Issuer): Promise<string> {
  const url = discoveryUrlOf(issuer);
  const found = parse(discovered, await get(url), `${url} is no discovery document`);
  if (found.issuer !== issuer) {
    throw lasting(`${url} is the discovery document of another issuer`);
  }
  if (!found.jwks_uri.startsWith('https://') && !isLoopbackUrl(issuer)) {
    throw lasting(`${url} names a key set that is not at an https URL`);
  }
  return found.jwks_uri;
}

const readKeys = async (url: string): Promise<readonly Jwk[]> =>
  parse(keySet, await get(url), `${url} is no key set`).keys;

const fetchOnce = async (issuer: Issuer) => readKeys(issuer.jwksUri ?? (await discover(issuer)));

/**
 * Tries a second time at once: a connection may have been reset by chance.
 *
 * @throws KeySetError
 */
export const fetchKeySet = (issuer: Issuer): Promise<readonly Jwk[]> =>
  fetchOnce(issuer).catch(() => fetchOnce(issuer));

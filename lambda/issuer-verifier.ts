// Verifies the tokens of one issuer, whose keys are kept while they are fresh and renewed behind its back.

import { JwtVerifier } from 'aws-jwt-verify';
import { JwtInvalidAudienceError, JwtInvalidSignatureAlgorithmError } from 'aws-jwt-verify/error';
import { type Jwk, SimpleJwksCache, SimplePenaltyBox } from 'aws-jwt-verify/jwk';
import type { JwtHeader, JwtPayload } from 'aws-jwt-verify/jwt-model';
import type { Issuer } from './issuers.ts';
import { keySetFetcher } from './key-set.ts';
import { keySetFreshMs, keySetMaxAgeMs, keySetRetryMs, maxClockSkewMs } from './limits.ts';

/**
 * The signature algorithms that are taken, each with the keys that it goes with. None of them is symmetric:
 * what an issuer publishes can verify a signature and never make one. Source: RFC 7518, section 3.1; RFC 8037.
 */
const keysOfAlgorithm = {
  RS256: { kty: 'RSA', crv: undefined },
  RS384: { kty: 'RSA', crv: undefined },
  RS512: { kty: 'RSA', crv: undefined },
  ES256: { kty: 'EC', crv: 'P-256' },
  ES384: { kty: 'EC', crv: 'P-384' },
  ES512: { kty: 'EC', crv: 'P-521' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
} as const;

export const algorithms: readonly string[] = Object.keys(keysOfAlgorithm);

const isAlgorithm = (name: string): name is keyof typeof keysOfAlgorithm =>
  Object.hasOwn(keysOfAlgorithm, name);

type Checked = { header: JwtHeader; payload: JwtPayload; jwk: Jwk };

const assertKeyFits = ({ header: { alg }, jwk }: Checked) => {
  const expected = alg !== undefined && isAlgorithm(alg) ? keysOfAlgorithm[alg] : undefined;
  if (expected?.kty !== jwk.kty || expected.crv !== jwk.crv) {
    throw new JwtInvalidSignatureAlgorithmError('the key is of another algorithm', alg, jwk.kty);
  }
};

const assertClientId = ({ payload: { client_id: clientId } }: Checked, audience: readonly string[]) => {
  if (typeof clientId !== 'string' || !audience.includes(clientId)) {
    throw new JwtInvalidAudienceError('another client_id', typeof clientId, [...audience]);
  }
};

/** Keys, and the key objects made of them, live and go with their verifier. */
const makeVerifier = (issuer: Issuer, fetch: () => Promise<ArrayBuffer>) =>
  JwtVerifier.create(
    {
      issuer: issuer.issuer,
      // The cache's name for the keys; the fetcher knows where they are.
      jwksUri: issuer.jwksUri ?? issuer.issuer,
      audience: issuer.audienceClaim === 'aud' ? issuer.audience : null,
      graceSeconds: maxClockSkewMs / 1_000,
      customJwtCheck: (checked: Checked) => {
        assertKeyFits(checked);
        if (issuer.audienceClaim === 'client_id') assertClientId(checked, issuer.audience);
      },
    },
    {
      // An unknown key id has the keys fetched anew, and then not again for a while.
      jwksCache: new SimpleJwksCache({
        fetcher: { fetch },
        penaltyBox: new SimplePenaltyBox({ waitSeconds: keySetRetryMs / 1_000 }),
      }),
    },
  );

/** Gives a token's claims, or rejects with the errors of aws-jwt-verify and of the key set. */
export type Verify = (token: string) => Promise<Readonly<Record<string, unknown>>>;

/**
 * The library keeps keys forever. Here they are fetched anew once they are no longer fresh, so that a key that
 * the issuer has withdrawn stops to count; as long as that fails, those at hand serve on, up to a limit.
 */
export const issuerVerifier = (issuer: Issuer): Verify => {
  const fetch = keySetFetcher(issuer);
  let verifier = makeVerifier(issuer, fetch);
  let since: number | undefined;

  const renew = async (age: number) => {
    const next = makeVerifier(issuer, fetch);
    try {
      await next.hydrate();
    } catch (failure) {
      if (age > keySetMaxAgeMs) throw failure;
      return;
    }
    verifier = next;
    since = Date.now();
  };

  return async (token) => {
    const age = since === undefined ? Number.POSITIVE_INFINITY : Date.now() - since;
    if (age > keySetFreshMs) await renew(age);
    return verifier.verify(token);
  };
};

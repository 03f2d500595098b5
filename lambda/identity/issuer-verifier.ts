// Verifies the tokens of one issuer: signature, issuer, audience and times.

import {
  JwtExpiredError,
  JwtInvalidAudienceError,
  JwtInvalidSignatureError,
  JwtNotBeforeError,
} from 'aws-jwt-verify/error';
import { type Jwk, SimpleJwksCache } from 'aws-jwt-verify/jwk';
import type { DecomposedJwt } from 'aws-jwt-verify/jwt';
import { JwtVerifierBase } from 'aws-jwt-verify/jwt-verifier';
import type { ErrorCode } from '../../api/errors.ts';
import type { Issuer } from '../../api/issuers.ts';
import { maxClockSkewMs, maxKeysOfOneId, maxTokenLifetimeSeconds } from '../../api/limits.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import type { ReportFault } from '../telemetry/configuration-faults.ts';
import type { Jwt } from './jwt.ts';
import { type Algorithm, keyFault } from './signing-key.ts';
import { signingKeys } from './signing-keys.ts';

const refused = (detail: string, code: ErrorCode = 'UnrecognizedClientException') =>
  new ProxyError(code, detail);

type Checks = { issuer: string; jwksUri: string; audience: string[] | null; graceSeconds: number };

const graceSeconds = maxClockSkewMs / 1_000;

/**
 * The library's checks, with one key. It gets the token as it was parsed here and parses nothing itself: two parsers
 * of one token might differ.
 */
class KeyVerifier extends JwtVerifierBase<Checks, Checks, false> {
  readonly #checks: Checks;

  constructor({ issuer, audience, audienceClaim }: Issuer, jwk: Jwk) {
    const checks = {
      ...{ issuer, graceSeconds },
      // The cache's name for the key; nothing is fetched.
      jwksUri: issuer,
      audience: audienceClaim === 'aud' ? audience : null,
    };
    const keys = new SimpleJwksCache();
    keys.addJwks(checks.jwksUri, { keys: [jwk] });
    super(checks, keys);
    this.#checks = checks;
  }

  verifyRead(token: DecomposedJwt): void {
    this.verifyDecomposedJwtSync(token, this.#checks.jwksUri, this.#checks);
  }
}

const timeOf = (seconds: unknown) => new Date(Number(seconds) * 1_000).toISOString();

const expectedAudience = ({ audience, audienceClaim }: Issuer) =>
  refused(`The token’s audience (${audienceClaim}) is not the one expected here: ${audience.join(' or ')}.`);

const isOfAnotherKey = (failure: unknown) => failure instanceof JwtInvalidSignatureError;

/** The library's own messages are neither answered nor logged: they quote the token. */
function refusalOf(failure: unknown, issuer: Issuer): ProxyError {
  if (isOfAnotherKey(failure)) {
    return refused('The token’s signature is not valid.');
  }
  if (failure instanceof JwtInvalidAudienceError) {
    return expectedAudience(issuer);
  }
  if (failure instanceof JwtNotBeforeError) {
    return refused(`The token is not valid before ${timeOf(failure.failedAssertion.actual)} (nbf).`);
  }
  if (failure instanceof JwtExpiredError) {
    const since = timeOf(failure.failedAssertion.actual);
    return refused(
      `The token’s expiry (exp) has passed: ${since}. Get a new one from its issuer.`,
      'ExpiredTokenException',
    );
  }
  const kind = failure instanceof Error ? failure.name : typeof failure;
  return new ProxyError('UnrecognizedClientException', 'The token’s signature cannot be checked.', {
    cause: new Error(kind),
  });
}

/** What the library does not check: the audience of Amazon Cognito, and times too far ahead. */
function assertClaims({ claims, registered: { exp, iat } }: Jwt, issuer: Issuer) {
  const { audience, audienceClaim, maxTokenLifetimeSeconds: lifetime = maxTokenLifetimeSeconds } = issuer;
  const clientId = claims.client_id;
  if (audienceClaim === 'client_id' && !(typeof clientId === 'string' && audience.includes(clientId))) {
    throw expectedAudience(issuer);
  }
  const latest = Date.now() / 1_000 + graceSeconds;
  if (iat !== undefined && iat > latest) {
    throw refused(`The token was issued in the future: ${timeOf(iat)} (iat). Its issuer’s clock is wrong.`);
  }
  if (exp > latest + lifetime) {
    throw refused(
      `The token’s expiry (exp) is too far ahead: ${timeOf(exp)}. Here a token may be valid for ${lifetime} s ` +
        'more (maxTokenLifetimeSeconds of its issuer). Get one for a shorter time.',
    );
  }
}

function failureOf(run: () => void): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** @throws UnrecognizedClientException saying why none of the keys can verify the token */
function usableKeys(keys: readonly Jwk[], algorithm: Algorithm): readonly Jwk[] {
  const faults = keys.map((jwk) => keyFault(jwk, algorithm));
  const [fault] = faults;
  if (fault !== undefined && !faults.includes(undefined)) {
    throw refused(fault);
  }
  return keys.filter((_, index) => faults[index] === undefined).slice(0, maxKeysOfOneId);
}

/** Passes what this issuer has signed for this proxy. */
export type Verify = (jwt: Jwt) => Promise<void>;

/**
 * @throws UnrecognizedClientException saying which of signature, key, audience and times is wrong;
 *   ExpiredTokenException; ServiceUnavailableException when the issuer's keys cannot be fetched, and InternalFailure when
 *   they cannot be fetched until the operator has fixed the configuration.
 */
export function issuerVerifier(issuer: Issuer, report: ReportFault): Verify {
  const keysOf = signingKeys(issuer, report);
  return async (jwt) => {
    const { header, registered: payload, encoded } = jwt;
    const keys = usableKeys(await keysOf(header), header.alg);
    const read = {
      ...{ header, payload },
      ...{ headerB64: encoded.header, payloadB64: encoded.payload, signatureB64: encoded.signature },
    };
    const failures = keys.map((jwk) => failureOf(() => new KeyVerifier(issuer, jwk).verifyRead(read)));
    if (!failures.includes(undefined)) {
      throw refusalOf(failures.find((failure) => !isOfAnotherKey(failure)) ?? failures[0], issuer);
    }
    assertClaims(jwt, issuer);
  };
}

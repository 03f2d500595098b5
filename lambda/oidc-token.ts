// OIDC tokens: a JWT of a configured issuer becomes a Workload, or a refusal that says what is wrong with it.

import {
  JwtExpiredError,
  JwtInvalidAudienceError,
  JwtInvalidSignatureAlgorithmError,
  JwtInvalidSignatureError,
  JwtNotBeforeError,
  KidNotFoundInJwksError,
  WaitPeriodNotYetEndedJwkError,
} from 'aws-jwt-verify/error';
import { claimsOf } from './claims.ts';
import { type ErrorCode, ProxyError } from './errors.ts';
import { algorithms, issuerVerifier, type Verify } from './issuer-verifier.ts';
import type { Issuer } from './issuers.ts';
import { KeySetError } from './key-set.ts';
import { maxTokenDepth } from './limits.ts';
import { type Workload, workload } from './principal.ts';
import { parseStrictJson } from './strict-json.ts';

/** Makes a Workload of a token that has a JWT's form. */
export type TokenVerifier = (token: string) => Promise<Workload>;

const refused = (detail: string, cause?: unknown) =>
  new ProxyError('UnrecognizedClientException', detail, { cause });

const malformed = 'The token is not a well-formed JWT.';
const unknownKey = 'The token’s signature cannot be checked: its issuer has no key of its key id (kid).';

/** An HTTP date without a weekday would do as well; this one every log has. */
const timeOf = (seconds: unknown) => new Date(Number(seconds) * 1_000).toISOString();

type Told = { code: ErrorCode; detail: (failure: Error, issuer: Issuer) => string };

const told = (detail: Told['detail'], code: ErrorCode = 'UnrecognizedClientException'): Told => ({
  code,
  detail,
});

const assertionOf = (failure: Error): unknown =>
  failure instanceof JwtExpiredError || failure instanceof JwtNotBeforeError
    ? failure.failedAssertion.actual
    : undefined;

/** What each failure is told as. None of the library's own messages goes out: they quote the token. */
const failures: readonly (readonly [new (...args: never[]) => Error, Told])[] = [
  [
    JwtInvalidSignatureAlgorithmError,
    told(() => 'The token’s signature is of another algorithm than its key.'),
  ],
  [JwtInvalidSignatureError, told(() => 'The token’s signature is not valid.')],
  [KidNotFoundInJwksError, told(() => unknownKey)],
  [WaitPeriodNotYetEndedJwkError, told(() => unknownKey)],
  [
    JwtInvalidAudienceError,
    told(
      (_, { audience, audienceClaim }) =>
        `The token’s audience (${audienceClaim}) is not the one expected here: ${audience.join(' or ')}.`,
    ),
  ],
  [
    JwtNotBeforeError,
    told((failure) => `The token is not valid before ${timeOf(assertionOf(failure))} (nbf).`),
  ],
  [
    JwtExpiredError,
    told(
      (failure) =>
        `The token’s expiry (exp) has passed: ${timeOf(assertionOf(failure))}. Get a new one from its issuer.`,
      'ExpiredTokenException',
    ),
  ],
  [
    KeySetError,
    told(
      () => 'The keys of the token’s issuer cannot be fetched now. Try again.',
      'ServiceUnavailableException',
    ),
  ],
];

const refusalOf = (failure: unknown, issuer: Issuer): ProxyError => {
  const [, row] = failures.find(([type]) => failure instanceof type) ?? [];
  if (!row || !(failure instanceof Error))
    return refused('The token’s signature cannot be checked.', kindOf(failure));
  // The cause of a key set's failure is the operator's to know; that of any other would quote the token.
  const cause = failure instanceof KeySetError ? failure : undefined;
  return new ProxyError(row.code, row.detail(failure, issuer), { cause });
};

/** Of a failure that nobody foresaw only its kind is logged. */
const kindOf = (failure: unknown) => new Error(failure instanceof Error ? failure.name : typeof failure);

type Part = Readonly<Record<string, unknown>>;

const parsePart = (part: string | undefined): Part => {
  try {
    return parseStrictJson(Buffer.from(part ?? '', 'base64url').toString(), maxTokenDepth);
  } catch {
    throw refused(malformed);
  }
};

const isText = (value: unknown): value is string => typeof value === 'string';

const isTime = (value: unknown) => typeof value === 'number' && Math.abs(value) < 1e11;

/** What needs no key: checked first, so that a token that cannot be good costs no fetch and no signature. */
const assertForm = (header: Part, claims: Part) => {
  if (!isText(header.alg) || !algorithms.includes(header.alg)) {
    throw refused(
      `The token’s signature is of an algorithm that is not taken: use ${algorithms.join(', ')}.`,
    );
  }
  if (!isText(header.kid)) throw refused('The token’s signature names no key (kid).');
  // An extension that has to be understood, and none is. Source: RFC 7515, section 4.1.11.
  if (header.crit !== undefined) throw refused(malformed);
  if (!isTime(claims.exp)) throw refused('The token has no expiry (exp).');
  if (claims.nbf !== undefined && !isTime(claims.nbf)) throw refused(malformed);
  if (!isText(claims.sub) || claims.sub === '') throw refused('The token has no subject (sub).');
};

/**
 * Only the issuer that the token names is asked for keys, and only if it is configured.
 *
 * @throws UnrecognizedClientException saying which of form, signature, issuer, audience or nbf is wrong;
 *   ExpiredTokenException; ServiceUnavailableException when the issuer's keys cannot be had.
 */
export const tokenVerifier = (issuers: readonly Issuer[]): TokenVerifier => {
  const known = new Map(
    issuers.map((issuer): [string, { issuer: Issuer; verify: Verify }] => [
      issuer.issuer,
      { issuer, verify: issuerVerifier(issuer) },
    ]),
  );
  return async (token) => {
    const [header, payload] = token.split('.').slice(0, 2).map(parsePart);
    if (!header || !payload) throw refused(malformed);
    const trusted = known.get(isText(payload.iss) ? payload.iss : '');
    if (!trusted) throw refused('The token’s issuer (iss) is not one that this proxy knows.');
    assertForm(header, payload);
    const { issuer, verify } = trusted;
    const claims = claimsOf(
      await verify(token).catch((failure: unknown) => {
        throw refusalOf(failure, issuer);
      }),
    );
    return workload(issuer.issuer, String(payload.sub), claims);
  };
};

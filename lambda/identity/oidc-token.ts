// OIDC tokens: a JWT of a configured issuer becomes a Workload, or a refusal that says what is wrong with it.

import type { Issuer } from '../../api/issuers.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { type Workload, workload } from '../../policy/principal.ts';
import type { ReportFault } from '../telemetry/configuration-faults.ts';
import { issuerVerifier, type Verify } from './issuer-verifier.ts';
import { readJwt } from './jwt.ts';

/** Makes a Workload of a token that has a JWT's form. */
export type TokenVerifier = (token: string) => Promise<Workload>;

/** For tests: reports nothing. */
function unreported() {}

/**
 * Only the issuer that the token names is asked for keys, and only if it is configured. Decision 0011.
 *
 * @throws UnrecognizedClientException saying which of form, issuer, signature, key, audience and times is wrong;
 *   ExpiredTokenException; ServiceUnavailableException when the issuer's keys cannot be fetched, and InternalFailure when
 *   they cannot be fetched until the operator has fixed the configuration.
 */
export function tokenVerifier(issuers: readonly Issuer[], report: ReportFault = unreported): TokenVerifier {
  const verifiers = new Map(
    issuers.map((issuer): [string, Verify] => [issuer.issuer, issuerVerifier(issuer, report)]),
  );
  return async (token) => {
    const jwt = readJwt(token);
    const { iss, sub } = jwt.registered;
    const verify = verifiers.get(iss);
    if (!verify) {
      throw new ProxyError(
        'UnrecognizedClientException',
        'The token’s issuer (iss) is not one that this proxy knows.',
      );
    }
    await verify(jwt);
    return workload(iss, sub, jwt.claims);
  };
}

// The keys that verify a signature: which key of a set it is, and whether the key may verify it.

import { createPublicKey } from 'node:crypto';
import type { Jwk } from 'aws-jwt-verify/jwk';
import { minRsaModulusBits } from '../../api/limits.ts';

/**
 * The accepted signature algorithms, each with its kinds of key. None of them is symmetric: what an issuer publishes
 * can verify a signature but never make one. Source: RFC 7518, section 3.1; RFC 8037.
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

export type Algorithm = keyof typeof keysOfAlgorithm;

const isAlgorithm = (name: string): name is Algorithm => Object.hasOwn(keysOfAlgorithm, name);

export const algorithms: readonly Algorithm[] = Object.keys(keysOfAlgorithm).filter(isAlgorithm);

/** The key that a token says it is signed with. */
export type KeyReference = { readonly alg: Algorithm; readonly kid: string };

/** Source: RFC 7517, sections 4.2 and 4.3. */
const isForSignatures = ({ use, key_ops: operations }: Jwk) =>
  (use === undefined || use === 'sig') &&
  (operations === undefined || (Array.isArray(operations) && operations.includes('verify')));

function fits(jwk: Jwk, algorithm: Algorithm) {
  const { kty, crv } = keysOfAlgorithm[algorithm];
  return jwk.kty === kty && jwk.crv === crv && (jwk.alg === undefined || jwk.alg === algorithm);
}

/**
 * Several keys may have one kid (RFC 7517, section 4.5): those of the token's algorithm, or where there is none, all of
 * them, which says of which algorithm it should have been.
 */
export function findKeys(keys: readonly Jwk[], { alg, kid }: KeyReference): readonly Jwk[] {
  const named = keys.filter((jwk) => jwk.kid === kid && isForSignatures(jwk));
  const fitting = named.filter((jwk) => fits(jwk, alg));
  return fitting.length > 0 ? fitting : named;
}

function detailsOf(jwk: Jwk) {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' }).asymmetricKeyDetails;
  } catch {
    return undefined;
  }
}

/** What keeps a key from verifying signatures of an algorithm, or `undefined`. */
export function keyFault(jwk: Jwk, algorithm: Algorithm): string | undefined {
  if (!fits(jwk, algorithm)) {
    return 'The token’s signature is of another algorithm than its key.';
  }
  const details = detailsOf(jwk);
  if (!details) {
    return 'What the token’s issuer publishes under the token’s key id (kid) is not a usable key.';
  }
  const { modulusLength: bits, publicExponent: exponent } = details;
  if (bits !== undefined && bits < minRsaModulusBits) {
    return `The token’s signature is by an RSA key of ${bits} bits: its issuer has to use ${minRsaModulusBits} or more.`;
  }
  if (exponent !== undefined && (exponent < 3n || exponent % 2n === 0n)) {
    return `The token’s signature is by an RSA key with the exponent ${exponent}: its issuer has to use an odd one from 3 on.`;
  }
  return undefined;
}

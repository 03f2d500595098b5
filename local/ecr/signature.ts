// The caller's signature, as far as it is looked at: there, complete, and scoped to the service that is called.

import { EcrError } from './errors.ts';
import { type RegistryName, type RegistryRules, registries } from './registries.ts';

/**
 * The signature itself is not verified: there is no secret here to verify it with. What a real call gets wrong
 * most easily is checked: no signature at all, one for another service, or one for a region in which ECR Public
 * has no endpoint, to which a real client could not even connect.
 * @throws {EcrError} MissingAuthenticationTokenException, IncompleteSignatureException, InvalidSignatureException
 */
export function checkSignature(registry: RegistryName, authorization: string | undefined): void {
  if (!authorization?.startsWith('AWS4-HMAC-SHA256 ')) {
    throw new EcrError('MissingAuthenticationTokenException', 'Missing Authentication Token');
  }
  const scope = /[ ,]Credential=[^/,]+\/\d{8}\/([^/,]+)\/([^/,]+)\/aws4_request(,|$)/.exec(authorization);
  const isComplete =
    scope && / ?SignedHeaders=[^,]+/.test(authorization) && /Signature=[0-9a-f]{64}/.test(authorization);
  if (!isComplete) {
    throw new EcrError(
      'IncompleteSignatureException',
      "Authorization header requires 'Credential' with a full scope, 'SignedHeaders' and 'Signature'",
    );
  }
  const [, region = '', service = ''] = scope;
  const { regions }: RegistryRules = registries[registry];
  if (service !== registry) {
    throw new EcrError(
      'InvalidSignatureException',
      `Credential should be scoped to correct service: '${registry}'.`,
    );
  }
  if (regions && !regions.includes(region)) {
    throw new EcrError(
      'InvalidSignatureException',
      `Credential should be scoped to a valid region: ${registry} has endpoints in ${regions.join(' and ')} only.`,
    );
  }
}

// Sealed upload ids: ECR's upload id, bound by an HMAC to one principal, registry and repository.

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Registry } from '../../api/registries.ts';
import type { Principal } from '../../policy/principal.ts';

/** What an upload id is bound to. */
export type SealBinding = {
  principal: Principal;
  registry: Registry;
  registryId: string;
  repositoryName: string;
};

/** 128 of HMAC-SHA-256's bits, as RFC 2104 (section 5) allows, in hexadecimal. */
const tagCharacters = 32;

const tagOf = (
  key: string,
  uploadId: string,
  { principal, registry, registryId, repositoryName }: SealBinding,
) =>
  createHmac('sha256', key)
    .update(JSON.stringify([principal.type, principal.id, registry, registryId, repositoryName, uploadId]))
    .digest('hex')
    .slice(0, tagCharacters);

/** The upload id that a client sees: ECR's own, a hyphen and the seal; hexadecimal like ECR's. */
export const seal = (key: string, uploadId: string, binding: SealBinding): string =>
  `${uploadId}-${tagOf(key, uploadId, binding)}`;

/** ECR's upload id, or undefined when the id was not sealed with any of these keys for this binding. */
export const openSeal = (
  keys: readonly string[],
  sealedId: string,
  binding: SealBinding,
): string | undefined => {
  const uploadId = sealedId.slice(0, -(tagCharacters + 1));
  const given = Buffer.from(sealedId);
  const isSealedWith = (key: string) => {
    const expected = Buffer.from(seal(key, uploadId, binding));
    return given.length === expected.length && timingSafeEqual(given, expected);
  };
  return keys.some(isSealedWith) ? uploadId : undefined;
};

// Sealed upload ids: ECR's upload id and how the parts are sent, bound by an HMAC to principal, registry and repository.

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

/**
 * How the parts of an upload reach ECR, from the first to the last: in pairs of the part size that
 * InitiateLayerUpload answered, or each as it arrives, from a front that streams.
 */
export type PartSending = { readonly pairsOf: number } | 'direct';

/** What an upload id says. */
export type SealedUpload = { readonly uploadId: string; readonly sending: PartSending };

/**
 * The part size of ids without a mark, which are all that were sealed before marks existed. It stays the same when
 * `partSize` of api/limits.ts changes.
 */
const unmarkedPartSize = 4_194_304;

/** Hexadecimal, and too short to be mistaken for the end of a UUID. */
function markOf(sending: PartSending): string | undefined {
  if (sending === 'direct') {
    return '0';
  }
  return sending.pairsOf === unmarkedPartSize ? undefined : sending.pairsOf.toString(16);
}

function sendingOf(mark: string): PartSending {
  const pairsOf = Number.parseInt(mark, 16);
  return pairsOf === 0 ? 'direct' : { pairsOf };
}

/** 128 of HMAC-SHA-256's bits, as RFC 2104 (section 5) allows, in hexadecimal. */
const tagCharacters = 32;

/** The upload id that a client sees: ECR's own, the mark if any, and the seal; hexadecimal like ECR's. */
export function seal(key: string, { uploadId, sending }: SealedUpload, binding: SealBinding): string {
  const { principal, registry, registryId, repositoryName } = binding;
  const marks = [markOf(sending)].filter((mark) => mark !== undefined);
  const bound = [principal.type, principal.id, registry, registryId, repositoryName, uploadId, ...marks];
  const tag = createHmac('sha256', key).update(JSON.stringify(bound)).digest('hex').slice(0, tagCharacters);
  return [uploadId, ...marks, tag].join('-');
}

const markPattern = /^(.+)-([0-9a-f]{1,8})$/;

/** The possible readings of an id: its seal shows which one is right. */
function readingsOf(sealedId: string): readonly SealedUpload[] {
  const text = sealedId.slice(0, -(tagCharacters + 1));
  const [, uploadId, mark] = markPattern.exec(text) ?? [];
  const unmarked: SealedUpload = { uploadId: text, sending: { pairsOf: unmarkedPartSize } };
  return uploadId === undefined || mark === undefined
    ? [unmarked]
    : [unmarked, { uploadId, sending: sendingOf(mark) }];
}

/** What the id says, or undefined when it was not sealed with any of these keys for this binding. */
export function openSeal(
  keys: readonly string[],
  sealedId: string,
  binding: SealBinding,
): SealedUpload | undefined {
  const given = Buffer.from(sealedId);
  const isSealedWith = (key: string, upload: SealedUpload) => {
    const expected = Buffer.from(seal(key, upload, binding));
    return given.length === expected.length && timingSafeEqual(given, expected);
  };
  return readingsOf(sealedId).find((upload) => keys.some((key) => isSealedWith(key, upload)));
}

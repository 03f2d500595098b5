// The names in paths and queries: repositories, tags and digests, each held against its grammar.

import { type Registry, registries } from '../../api/registries.ts';
import { OciError } from './oci-errors.ts';

/** @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests */
const tagPattern = /^\w[\w.-]{0,127}$/;
const sha256Pattern = /^sha256:[0-9a-f]{64}$/;
/** Of any algorithm. Source: OCI image specification, "Digests". */
const digestPattern = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[\w=-]{1,1000}$/;
/** The SHA-256 of no byte. */
const emptyDigest = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** @throws OciError NAME_INVALID */
export function repositoryNameOf(name: string, registry: Registry): string {
  const { pattern, minLength, maxLength } = registries[registry].repositoryName;
  if (name.length >= minLength && name.length <= maxLength && pattern.test(name)) {
    return name;
  }
  throw new OciError('NAME_INVALID', `${name} is no name of a repository in ECR, such as team-a/app`);
}

/** Whether ECR can have a blob or a manifest of this digest; of others it can be said at once that it has not. */
export const isStorable = (digest: string): boolean => sha256Pattern.test(digest) && digest !== emptyDigest;

/**
 * The digest of what is being pushed.
 * @throws OciError DIGEST_INVALID for what is none; UNSUPPORTED, which no client sends again, for what ECR cannot store
 */
export function storableDigestOf(text: string | null): string {
  if (text === null || !digestPattern.test(text)) {
    throw new OciError('DIGEST_INVALID', 'the digest is not of the form sha256:<64 hexadecimal digits>');
  }
  if (text === emptyDigest) {
    throw new OciError('UNSUPPORTED', 'ECR stores no layer without bytes', { status: 400 });
  }
  if (!text.startsWith('sha256:')) {
    throw new OciError(
      'UNSUPPORTED',
      `ECR stores under SHA-256 digests alone, and this one is of ${text.split(':')[0]}: push it with its SHA-256`,
      { status: 400 },
    );
  }
  if (!sha256Pattern.test(text)) {
    throw new OciError('DIGEST_INVALID', 'the digest is not of the form sha256:<64 hexadecimal digits>');
  }
  return text;
}

export const isDigest = (reference: string): boolean => reference.includes(':');

export const isTag = (reference: string): boolean => tagPattern.test(reference);

/** @throws OciError TAG_INVALID */
export function tagOf(reference: string): string {
  if (isTag(reference)) {
    return reference;
  }
  throw new OciError(
    'TAG_INVALID',
    'a tag has at most 128 letters, digits, underscores, dots and hyphens, and begins with none of the last two',
  );
}

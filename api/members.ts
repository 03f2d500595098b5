// The members of ECR's operations as schemas: what each may hold, in ECR's own names.

import { z } from 'zod';
import {
  maxAcceptedMediaTypes,
  maxArtifactTypes,
  maxDigestCharacters,
  maxImageIds,
  maxLayerDigests,
  maxManifestCharacters,
  maxMediaTypeCharacters,
  maxNextTokenCharacters,
} from './limits.ts';
import { type Registry, type RegistryRow, registries } from './registries.ts';

/** What follows, a pattern above all, is tried only on a text of this length: megabytes overflow its stack. */
const text = (expected: string, minLength: number, maxLength: number) =>
  z
    .string(expected)
    .min(minLength, { error: expected, abort: true })
    .max(maxLength, { error: expected, abort: true });

/** The members every operation has. Sources: the API references of Amazon ECR and Amazon ECR Public. */
export function repositoryMembers(registry: Registry) {
  const { repositoryName, registryId }: RegistryRow = registries[registry];
  const { minLength, maxLength, pattern } = repositoryName;
  const expected = `a repository name of ${minLength} to ${maxLength} characters, such as team-a/app`;
  return {
    registryId: text(registryId.expected, 2, 50).regex(registryId.pattern, registryId.expected).optional(),
    repositoryName: text(expected, minLength, maxLength).regex(pattern, expected),
  };
}

/** An upload id as this proxy answered it: ECR's, sealed. Its seal is opened by authorize, not here. */
export const uploadId = text('the uploadId that InitiateLayerUpload answered', 1, 256);

const position = (expected: string) => z.int(expected).nonnegative(expected);
export const partFirstByte = position('the position of the first byte of the part, counted from 0');
export const partLastByte = position('the position of the last byte of the part, inclusive');

const expectedBlob = 'the bytes of the part, in base64';

/**
 * A part's bytes: raw from an octet-stream body, or in base64 from JSON. Checked without a repeating group:
 * a regular expression that matches base64 in fours overflows the stack on a body of this size.
 */
export const layerPartBlob = z
  .union([z.instanceof(Uint8Array), z.string()], expectedBlob)
  .transform((blob, context): Uint8Array => {
    if (typeof blob !== 'string') {
      return blob;
    }
    const bytes = Buffer.from(blob, 'base64');
    if (bytes.length === 0 || blob.length % 4 !== 0 || /[^A-Za-z0-9+/=]|=[^=]/.test(blob)) {
      context.addIssue({ code: 'custom', message: expectedBlob });
      return z.NEVER;
    }
    return bytes;
  });

const expectedDigests = `a list of 1 to ${maxLayerDigests} digests, such as sha256:… with 64 hexadecimal digits`;

const digestsOf = (digest: z.ZodType<string>) =>
  z.array(digest, expectedDigests).min(1, expectedDigests).max(maxLayerDigests, expectedDigests);

/** ECR has been seen with digests that are not `sha256:`, and decides what they mean. Source: ECR API reference, LayerDigest. */
const digestOf = (expected: string) =>
  text(expected, 1, maxDigestCharacters).regex(/^[A-Za-z0-9\-_+.]+:[A-Fa-f0-9]+$/, expected);

/** Of CompleteLayerUpload. */
export const layerDigests = digestsOf(digestOf(expectedDigests));

/** Of GetDownloadUrlForLayer. */
export const layerDigest = digestOf('a digest, such as sha256:… with 64 hexadecimal digits');

/**
 * Of BatchCheckLayerAvailability, which names one that is no digest in its `failures`, and answers for the others.
 * Source: ECR API reference, BatchedOperationLayerDigest.
 */
export const batchedLayerDigests = digestsOf(text(expectedDigests, 0, maxDigestCharacters));

export const imageManifest = text(
  `the image manifest as a string of 1 to ${maxManifestCharacters} characters`,
  1,
  maxManifestCharacters,
);

const mediaType = text(
  `a media type of 1 to ${maxMediaTypeCharacters} characters`,
  1,
  maxMediaTypeCharacters,
);
export const imageManifestMediaType = mediaType.optional();

export const imageTag = text('a tag of 1 to 300 characters', 1, 300).optional();

const digestLength = 'sha256:'.length + 64;
const expectedDigest = 'a digest, sha256: and 64 hexadecimal digits';
export const imageDigest = text(expectedDigest, digestLength, digestLength)
  .regex(/^sha256:[0-9a-f]{64}$/, expectedDigest)
  .optional();

/** What is no digest, ECR names in the `failures` of its answer, and answers for the others. */
const anyDigest = text(`a digest of ${maxDigestCharacters} characters at most`, 0, maxDigestCharacters);

const expectedImageIds = `a list of 1 to ${maxImageIds} images, each with its imageDigest, its imageTag or both`;

/** Of BatchGetImage. */
export const imageIds = z
  .array(z.object({ imageDigest: anyDigest.optional(), imageTag }, expectedImageIds), expectedImageIds)
  .min(1, expectedImageIds)
  .max(maxImageIds, expectedImageIds);

const expectedMediaTypes = `a list of 1 to ${maxAcceptedMediaTypes} media types`;

/** Of BatchGetImage: ECR converts a manifest that is read by a tag and has none of these types. */
export const acceptedMediaTypes = z
  .array(mediaType, expectedMediaTypes)
  .min(1, expectedMediaTypes)
  .max(maxAcceptedMediaTypes, expectedMediaTypes)
  .optional();

const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, `one of ${values.join(', ')}`);

const storageStatus = oneOf(['ACTIVE', 'ARCHIVED', 'ACTIVATING', 'ANY']);

/** Of ListImages. */
export const imageFilter = z
  .object(
    { tagStatus: oneOf(['TAGGED', 'UNTAGGED', 'ANY']).optional(), imageStatus: storageStatus.optional() },
    'an object with tagStatus, imageStatus or both',
  )
  .optional();

const expectedArtifactTypes = `a list of ${maxArtifactTypes} artifact types at most, each of 1 to ${maxMediaTypeCharacters} characters`;

/** Of ListImageReferrers. */
export const referrerFilter = z
  .object(
    {
      artifactTypes: z
        .array(text(expectedArtifactTypes, 1, maxMediaTypeCharacters), expectedArtifactTypes)
        .max(maxArtifactTypes, expectedArtifactTypes)
        .optional(),
      artifactStatus: storageStatus.optional(),
    },
    'an object with artifactTypes, artifactStatus or both',
  )
  .optional();

/** Of ListImageReferrers: the image that they refer to. */
export const subjectId = z.object(
  { imageDigest: anyDigest },
  'an object with the imageDigest of the image that is referred to',
);

export const nextToken = text('the nextToken of the answer before', 1, maxNextTokenCharacters).optional();

export function maxResults(most: number) {
  const expected = `a number from 1 to ${most}`;
  return z.int(expected).min(1, expected).max(most, expected).optional();
}

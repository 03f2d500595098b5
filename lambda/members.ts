// The members of ECR's operations as schemas: what each may hold, in ECR's own names.

import { z } from 'zod';
import { maxLayerDigests, maxManifestCharacters } from './limits.ts';
import { type Registry, type RegistryRow, registries } from './registries.ts';

/** The members every operation has. Sources: the API references of Amazon ECR and Amazon ECR Public. */
export const repositoryMembers = (registry: Registry) => {
  const { repositoryName, registryId }: RegistryRow = registries[registry];
  const { minLength, maxLength, pattern } = repositoryName;
  const expected = `a repository name of ${minLength} to ${maxLength} characters, such as team-a/app`;
  return {
    registryId: z
      .string()
      .min(2, registryId.expected)
      .max(50, registryId.expected)
      .regex(registryId.pattern, registryId.expected)
      .optional(),
    repositoryName: z
      .string(expected)
      .min(minLength, expected)
      .max(maxLength, expected)
      .regex(pattern, expected),
  };
};

/** An upload id as this proxy answered it: ECR's, sealed. Its seal is opened by authorize, not here. */
export const uploadId = z.string('the uploadId that InitiateLayerUpload answered').min(1).max(256);

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
    if (typeof blob !== 'string') return blob;
    const bytes = Buffer.from(blob, 'base64');
    if (bytes.length === 0 || blob.length % 4 !== 0 || /[^A-Za-z0-9+/=]|=[^=]/.test(blob)) {
      context.addIssue({ code: 'custom', message: expectedBlob });
      return z.NEVER;
    }
    return bytes;
  });

const expectedDigests = `a list of 1 to ${maxLayerDigests} digests, such as sha256:… with 64 hexadecimal digits`;

/** ECR itself has been seen with digests that are not `sha256:`; it decides what they mean. */
export const layerDigests = z
  .array(z.string(expectedDigests).min(1, expectedDigests).max(1_000, expectedDigests), expectedDigests)
  .min(1, expectedDigests)
  .max(maxLayerDigests, expectedDigests);

const expectedManifest = `the image manifest as a string of 1 to ${maxManifestCharacters} characters`;

export const imageManifest = z
  .string(expectedManifest)
  .min(1, expectedManifest)
  .max(maxManifestCharacters, expectedManifest);

export const imageManifestMediaType = z.string().min(1).max(255).optional();

const expectedTag = 'a tag of 1 to 300 characters';
export const imageTag = z.string(expectedTag).min(1, expectedTag).max(300, expectedTag).optional();

const expectedDigest = 'a digest, sha256: and 64 hexadecimal digits';
export const imageDigest = z
  .string(expectedDigest)
  .regex(/^sha256:[0-9a-f]{64}$/, expectedDigest)
  .optional();

// The input shapes of the operations, per registry, and the one reader of a request's JSON.

import { z } from 'zod';
import { EcrError, invalidParameter } from './errors.ts';
import {
  maxArtifactTypeChars,
  maxArtifactTypes,
  maxBatchedDigestChars,
  maxImageIds,
  maxImageManifestChars,
  maxImageTagChars,
  maxLayerDigests,
  maxLayerPartBlobBytes,
  maxListedImages,
  maxListedReferrers,
  maxMediaTypes,
} from './limits.ts';
import { type RegistryName, registries } from './registries.ts';

const bounded = (min: number, max: number) =>
  z
    .string()
    .min(min, `Member must have length greater than or equal to ${min}`)
    .max(max, `Member must have length less than or equal to ${max}`);

const matching = (min: number, max: number, pattern: RegExp) =>
  bounded(min, max).regex(pattern, `must satisfy regular expression '${pattern.source}'`);

const bytePosition = z.int('must be an integer').min(0, 'Member must have value greater than or equal to 0');

const listOf = <Item extends z.ZodType>(item: Item, min: number, max: number) =>
  z
    .array(item)
    .min(min, `Member must have length greater than or equal to ${min}`)
    .max(max, `Member must have length less than or equal to ${max}`);

const digests = (digest: z.ZodType<string>) => listOf(digest, 1, maxLayerDigests);

/** `LayerDigest` of both models. Any algorithm: `<uploadId>:<hex>` has been seen where `sha256:` is meant. */
const layerDigest = z
  .string()
  .regex(
    /^[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+$/,
    "must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
  );

/** Base64 in its one canonical form: what does not come back the same when encoded again is refused. */
const blob = z.string().transform((text, context) => {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) {
    context.addIssue('must be base64 encoded');
  }
  if (bytes.length > maxLayerPartBlobBytes) {
    context.addIssue(`Member must have length less than or equal to ${maxLayerPartBlobBytes}`);
  }
  return bytes;
});

function repository(registry: RegistryName) {
  const { registryId, repositoryName } = registries[registry];
  return {
    registryId: matching(registryId.minLength, registryId.maxLength, registryId.pattern).optional(),
    repositoryName: matching(repositoryName.minLength, repositoryName.maxLength, repositoryName.pattern),
  };
}

const uploadId = z
  .string()
  .regex(
    /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
    "must satisfy regular expression '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'",
  );

export const initiateInput = (registry: RegistryName) => z.object(repository(registry));

export const uploadPartInput = (registry: RegistryName) =>
  z.object({
    ...repository(registry),
    uploadId,
    partFirstByte: bytePosition,
    partLastByte: bytePosition,
    layerPartBlob: blob,
  });

export const completeInput = (registry: RegistryName) =>
  z.object({ ...repository(registry), uploadId, layerDigests: digests(layerDigest) });

export const availabilityInput = (registry: RegistryName) =>
  z.object({ ...repository(registry), layerDigests: digests(bounded(0, maxBatchedDigestChars)) });

/** The characters of a tag are OCI's, its length ECR's (model: 1 to 300). */
export const putImageInput = (registry: RegistryName) =>
  z.object({
    ...repository(registry),
    imageManifest: bounded(1, maxImageManifestChars),
    imageManifestMediaType: z.string().optional(),
    imageTag: matching(1, maxImageTagChars, /^[a-zA-Z0-9_][a-zA-Z0-9._-]*$/).optional(),
    imageDigest: z.string().optional(),
  });

/** A tag or digest that is none comes back in `failures`. */
export const batchGetInput = (registry: RegistryName) =>
  z.object({
    ...repository(registry),
    imageIds: listOf(
      z.object({ imageDigest: z.string().optional(), imageTag: bounded(1, maxImageTagChars).optional() }),
      1,
      maxImageIds,
    ),
    acceptedMediaTypes: listOf(z.string(), 1, maxMediaTypes).optional(),
  });

const page = (most: number) => ({
  nextToken: z.string().optional(),
  maxResults: z
    .int('must be an integer')
    .min(1, 'Member must have value greater than or equal to 1')
    .max(most, `Member must have value less than or equal to ${most}`)
    .optional(),
});

const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, `Member must satisfy enum value set: [${values.join(', ')}]`).optional();

const storageStatus = oneOf(['ACTIVE', 'ARCHIVED', 'ACTIVATING', 'ANY']);

export const listImagesInput = (registry: RegistryName) =>
  z.object({
    ...repository(registry),
    ...page(maxListedImages),
    filter: z
      .object({ tagStatus: oneOf(['TAGGED', 'UNTAGGED', 'ANY']), imageStatus: storageStatus })
      .optional(),
  });

export const listReferrersInput = (registry: RegistryName) =>
  z.object({
    ...repository(registry),
    ...page(maxListedReferrers),
    subjectId: z.object({ imageDigest: z.string() }),
    filter: z
      .object({
        artifactTypes: listOf(bounded(1, maxArtifactTypeChars), 0, maxArtifactTypes).optional(),
        artifactStatus: storageStatus,
      })
      .optional(),
  });

export const downloadUrlInput = (registry: RegistryName) =>
  z.object({ ...repository(registry), layerDigest });

/**
 * Reads a JSON 1.1 body: an object in UTF-8, in which a member that is null counts as absent, as AWS's protocol
 * has it. @throws {EcrError} SerializationException
 */
export function readMembers(body: Buffer): Record<string, unknown> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    const members = z.record(z.string(), z.unknown()).parse(JSON.parse(text));
    return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null));
  } catch {
    throw new EcrError('SerializationException', 'The request body is not a JSON object in UTF-8');
  }
}

/**
 * Holds `members` against `schema`; members the schema does not know are dropped, as AWS drops them.
 * @throws {EcrError} InvalidParameterException for an absent member or a broken bound; SerializationException for
 * a member of another JSON type (inferred from AWS's other JSON services).
 */
export function readInput<Schema extends z.ZodType>(
  schema: Schema,
  members: Record<string, unknown>,
): z.output<Schema> {
  const result = schema.safeParse(members);
  if (result.success) {
    return result.data;
  }
  const [issue] = result.error.issues;
  const member = issue?.path.join('.') ?? '';
  const isAbsent = !(String(issue?.path[0]) in members);
  if (isAbsent) {
    throw invalidParameter(member, 'Member must not be null');
  }
  if (issue?.code === 'invalid_type' && issue.expected !== 'int') {
    throw new EcrError('SerializationException', `${member} is not of the type ${issue.expected}`);
  }
  throw invalidParameter(member, issue?.message ?? 'Member is invalid');
}

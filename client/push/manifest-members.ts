// The members of a manifest or an index that say what belongs to it.

import { z } from 'zod';
import { listOf, object, printableText, text } from './documents.ts';

/** Go reads null as no member at all. */
export const optional = <Member extends z.ZodType>(member: Member) => member.nullish();

export const mediaTypeText = printableText(255);

/** OCI's other digests are read, to be refused as what they are. */
const digest = text.regex(/^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/, {
  error: 'is not a sha256 digest',
});

/** Read without a word about what is odd in it: nothing but the choice depends on it. */
const platform = z
  .object({ os: z.unknown(), architecture: z.unknown(), variant: z.unknown() })
  .partial()
  .nullish()
  .catch(undefined);

export const descriptorMembers = {
  mediaType: mediaTypeText,
  digest,
  size: z.int({ error: 'is missing or not a size' }).nonnegative({ error: 'is not a size' }),
  data: optional(z.string({ error: 'is not text' })),
  platform,
};
export const descriptor = object(descriptorMembers);
export type Descriptor = z.output<typeof descriptor>;

/** An image manifest has a config and layers, an artifact has blobs, an index manifests; each may have a subject. */
export const manifestMembers = object({
  schemaVersion: z.unknown().optional(),
  mediaType: optional(mediaTypeText),
  config: optional(descriptor),
  layers: optional(listOf(descriptor)),
  blobs: optional(listOf(descriptor)),
  manifests: optional(listOf(descriptor)),
  subject: optional(descriptor),
});
export type ManifestMembers = z.output<typeof manifestMembers>;

/** The blobs that a manifest names. */
export const blobsNamedIn = ({ config, layers, blobs }: ManifestMembers): Descriptor[] => [
  ...(config ? [config] : []),
  ...(layers ?? []),
  ...(blobs ?? []),
];

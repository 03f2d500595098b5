// The members of a manifest or an index that say what belongs to it.

import { z } from 'zod';
import { listOf, object, printableText, text } from './documents.ts';

/** A member that is null counts as absent, as tools written in Go have it. */
export const optional = <Member extends z.ZodType>(member: Member) => member.nullish();

export const mediaTypeText = printableText(255);

/** sha512 is read too, so that it can be refused with a message of its own. */
const digest = text.regex(/^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/, {
  error: 'is not a sha256 digest',
});

/** Ignored where it is malformed: only the choice of a platform depends on it. */
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

// The manifests that are taken, as schemas: what the policy decides about is read, the rest is ECR's to judge.

import { z } from 'zod';
import { maxDigestCharacters, maxManifestDescriptors, maxMediaTypeCharacters } from './limits.ts';
import { isJsonObject } from './strict-json.ts';

/** What keeps a text from being a manifest, as what was expected of it; it holds nothing of the text. */
export class ManifestFault extends Error {}

/**
 * An object as registries written in Go read it: a member that is null is absent. They fold the case of names,
 * so `Layers` or `layer\u017f` is `layers` to them and was nothing to the policy; what differs from a name of the
 * schema in case alone is therefore refused. With the flags `iu` an expression folds as Go does, by Unicode's
 * simple folding. Source: encoding/json of Go, foldName.
 */
function members<Shape extends z.ZodRawShape>(shape: Shape) {
  const names = Object.keys(shape);
  const folded = new RegExp(`^(?:${names.join('|')})$`, 'iu');
  const known = (value: unknown) => {
    if (!isJsonObject(value)) {
      return value;
    }
    for (const name of Object.keys(value)) {
      if (!names.includes(name) && folded.test(name)) {
        throw new ManifestFault(`names written as in ${names.join(', ')}, and none in another case`);
      }
    }
    return Object.fromEntries(names.map((name) => [name, value[name] ?? undefined]));
  };
  return z.preprocess(known, z.object(shape));
}

const mediaType = z.string().min(1).max(maxMediaTypeCharacters);
const descriptorShape = {
  mediaType,
  digest: z
    .string()
    .max(maxDigestCharacters, { abort: true })
    .regex(/^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[A-Za-z0-9=_-]+$/),
  size: z.int().nonnegative(),
};
export const descriptor = members(descriptorShape);

export const platform = members({ os: z.string().optional(), architecture: z.string().optional() });
const child = members({ ...descriptorShape, platform: platform.optional() });

/** An absent list is empty, as a null one is that Go writes of no layers. Stops at the first fault. */
const listOf = <Item>(item: z.ZodType<Item>) =>
  z
    .array(z.unknown())
    .default([])
    .transform((list, context) => {
      if (list.length > maxManifestDescriptors) {
        throw new ManifestFault(`lists of ${maxManifestDescriptors} layers, manifests or blobs at most`);
      }
      const read: Item[] = [];
      for (const [index, one] of list.entries()) {
        const { data, error } = item.safeParse(one);
        for (const { path } of error?.issues ?? []) {
          context.addIssue({ code: 'custom', path: [index, ...path] });
        }
        if (data === undefined) {
          return z.NEVER;
        }
        read.push(data);
      }
      return read;
    });

const isTexts = (value: unknown): value is Record<string, string | null> =>
  isJsonObject(value) && Object.values(value).every((text) => text === null || typeof text === 'string');

/** To Go an annotation that is null is an empty text. */
const annotations = z
  .custom<Record<string, string | null>>(isTexts)
  .default({})
  .transform(
    (texts): Readonly<Record<string, string>> =>
      Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, text ?? ''])),
  );

const absent = z.undefined().optional();
const unread = z.unknown();

/** Each kind names the members of all kinds: another reader may take it for another kind. */
const common = {
  schemaVersion: z.literal(2).optional(),
  mediaType: unread,
  artifactType: z.string().max(maxMediaTypeCharacters).optional(),
  // Read by nobody here, and by others under these names.
  subject: members(
    Object.fromEntries(Object.keys(descriptorShape).map((name): [string, typeof unread] => [name, unread])),
  ).optional(),
  annotations,
};

export const image = members({
  ...common,
  config: descriptor,
  layers: listOf(descriptor),
  manifests: absent,
  blobs: unread,
});
export const index = members({
  ...common,
  manifests: listOf(child),
  config: absent,
  layers: absent,
  blobs: unread,
});
export const artifact = members({
  ...common,
  blobs: listOf(descriptor),
  config: unread,
  layers: absent,
  manifests: absent,
});

// What is remembered of one repository: the shape of its state.json.

import { z } from 'zod';

const count = z.int().min(0);

/** A Map kept in JSON as its entries: keys such as the tag `__proto__` are nothing special in it. */
const mapOf = <Value>(value: z.ZodType<Value>) =>
  z.array(z.tuple([z.string(), value])).transform((entries) => new Map(entries));

const stateSchema = z.object({
  registry: z.enum(['ecr', 'ecr-public']),
  repositoryName: z.string(),
  imageTagMutability: z.enum(['MUTABLE', 'IMMUTABLE']),
  /** By upload id. A small part is refused only at Complete, and only when another came after it. */
  uploads: mapOf(
    z.object({ sizeBytes: count, parts: count, lastPartBytes: count, hasSmallPartBeforeLast: z.boolean() }),
  ),
  /** By digest. A layer stays in the file of the upload it came by, so that completing one moves no bytes. */
  layers: mapOf(z.object({ sizeBytes: count, uploadId: z.string(), mediaType: z.string().optional() })),
  /** By digest. */
  images: mapOf(z.object({ sizeBytes: count, mediaType: z.string() })),
  /** Tag to digest. */
  tags: mapOf(z.string()),
});

export type RepositoryState = z.output<typeof stateSchema>;
export type Upload = RepositoryState['uploads'] extends Map<string, infer Value> ? Value : never;
export type ImageTagMutability = RepositoryState['imageTagMutability'];

/** @throws {z.ZodError} when the text is not a state this version wrote. */
export const parseState = (text: string): RepositoryState => stateSchema.parse(JSON.parse(text));

export const formatState = (state: RepositoryState): string =>
  JSON.stringify(state, (_key, value: unknown) => (value instanceof Map ? [...value] : value));

/** The map with one entry set; the map given stays as it is. */
export const withEntry = <Value>(
  map: ReadonlyMap<string, Value>,
  key: string,
  value: Value,
): Map<string, Value> => new Map([...map, [key, value]]);

/** The map without one entry; the map given stays as it is. */
export const withoutEntry = <Value>(map: ReadonlyMap<string, Value>, key: string): Map<string, Value> =>
  new Map([...map].filter(([other]) => other !== key));

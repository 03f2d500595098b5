// What PutImage's manifest says: its kind, its digest and its sizes, read without believing the request. Pure.

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { maxManifestDepth } from './limits.ts';
import { parseStrictJson } from './strict-json.ts';

/** The facts of a manifest. Sizes are those that it states: ECR, not this proxy, has the layers. */
export type ManifestFacts = {
  mediaType: string;
  /** Of an artifact: its own, or else the media type of its config (OCI image specification, "Guidelines for Artifact Usage"). */
  artifactType: string | undefined;
  /** Of an image: what its config is, which is what decides whether it can be run. */
  configMediaType: string | undefined;
  layerCount: number;
  layerMediaTypes: readonly string[];
  /** Config and layers; of an index, the manifests that it lists. */
  totalBytes: number;
  /** Of an index: how many manifests it lists, and of which kinds. */
  manifestCount: number;
  manifestMediaTypes: readonly string[];
  /** How many platforms an index lists images for. */
  platformCount: number;
  annotations: Readonly<Record<string, string>>;
};

/** A manifest, or what keeps a text from being one. Its digest it has either way. */
export type Manifest = { digest: string } & ({ facts: ManifestFacts } | { fault: string });

const descriptor = z.object({
  mediaType: z.string().min(1).max(255),
  digest: z.string().regex(/^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[A-Za-z0-9=_-]+$/),
  size: z.int().nonnegative(),
});

const common = {
  artifactType: z.string().optional(),
  annotations: z.record(z.string(), z.string()).default({}),
};
const version = { schemaVersion: z.literal(2) };
const absent = z.undefined().optional();

const image = z.object({
  ...common,
  ...version,
  config: descriptor,
  layers: z.array(descriptor),
  manifests: absent,
});
const platform = z.object({ os: z.string(), architecture: z.string() }).optional();
const index = z.object({
  ...common,
  ...version,
  manifests: z.array(descriptor.extend({ platform })),
  config: absent,
  layers: absent,
});
const artifact = z.object({
  ...common,
  blobs: z.array(descriptor).default([]),
  layers: absent,
  manifests: absent,
});

type Descriptor = z.output<typeof descriptor>;
type Facts = Omit<ManifestFacts, 'mediaType'>;

/** Far beyond any registry; more than Cedar's and JSON's integers hold would be no number at all. */
const bytesOf = (descriptors: readonly Descriptor[]) =>
  Math.min(
    descriptors.reduce((sum, { size }) => sum + size, 0),
    Number.MAX_SAFE_INTEGER,
  );

const mediaTypesOf = (descriptors: readonly Descriptor[]) => [
  ...new Set(descriptors.map(({ mediaType }) => mediaType)),
];

/** The configs of images that are meant to be run. */
const imageConfigs = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]);

/** What is no index lists none. */
const noManifests = { manifestCount: 0, manifestMediaTypes: [], platformCount: 0 };

const imageFacts = (json: unknown): Facts => {
  const { config, layers, artifactType, annotations } = image.parse(json);
  return {
    artifactType: artifactType ?? (imageConfigs.has(config.mediaType) ? undefined : config.mediaType),
    layerCount: layers.length,
    layerMediaTypes: mediaTypesOf(layers),
    totalBytes: bytesOf([config, ...layers]),
    configMediaType: config.mediaType,
    ...noManifests,
    annotations,
  };
};

/** Build tools list attestations under the platform unknown/unknown. */
const isPlatform = (one: z.output<typeof platform>) => one !== undefined && one.os !== 'unknown';

const indexFacts = (json: unknown): Facts => {
  const { manifests, artifactType, annotations } = index.parse(json);
  return {
    artifactType,
    layerCount: 0,
    layerMediaTypes: [],
    totalBytes: bytesOf(manifests),
    configMediaType: undefined,
    manifestCount: manifests.length,
    manifestMediaTypes: mediaTypesOf(manifests),
    platformCount: manifests.filter((one) => isPlatform(one.platform)).length,
    annotations,
  };
};

const artifactFacts = (json: unknown): Facts => {
  const { blobs, artifactType, annotations } = artifact.parse(json);
  return {
    artifactType,
    layerCount: blobs.length,
    layerMediaTypes: mediaTypesOf(blobs),
    totalBytes: bytesOf(blobs),
    configMediaType: undefined,
    ...noManifests,
    annotations,
  };
};

const readers: Readonly<Record<string, (json: unknown) => Facts>> = {
  'application/vnd.oci.image.manifest.v1+json': imageFacts,
  'application/vnd.oci.image.index.v1+json': indexFacts,
  'application/vnd.oci.artifact.manifest.v1+json': artifactFacts,
  'application/vnd.docker.distribution.manifest.v2+json': imageFacts,
  'application/vnd.docker.distribution.manifest.list.v2+json': indexFacts,
};

class Fault extends Error {}

const parse = (text: string) => {
  // A lone surrogate has no UTF-8: the digest would be that of other bytes than were sent.
  if (!text.isWellFormed()) throw new Fault('well-formed Unicode');
  try {
    return parseStrictJson(text, maxManifestDepth);
  } catch {
    throw new Fault('a JSON object with no name twice');
  }
};

/** Source: API reference of PutImage, imageManifestMediaType. */
const mediaTypeOf = (own: unknown, declared: string | undefined): string => {
  const mediaType = own ?? declared;
  if (typeof mediaType !== 'string') throw new Fault('a mediaType, or the request an imageManifestMediaType');
  if (declared !== undefined && declared !== mediaType) {
    throw new Fault('the mediaType that imageManifestMediaType says');
  }
  return mediaType;
};

const read = (text: string, declared: string | undefined): ManifestFacts => {
  const json = parse(text);
  const mediaType = mediaTypeOf(json.mediaType, declared);
  const reader = Object.hasOwn(readers, mediaType) ? readers[mediaType] : undefined;
  if (!reader) throw new Fault(`a mediaType that is one of ${Object.keys(readers).join(', ')}`);
  return { mediaType, ...reader(json) };
};

const placesOf = ({ issues }: z.ZodError) =>
  [...new Set(issues.map(({ path }) => path.join('.')))].slice(0, 5);

const faultOf = (failure: unknown): string => {
  if (failure instanceof Fault) return failure.message;
  if (failure instanceof z.ZodError) {
    return `what its media type demands at ${placesOf(failure).join(', ')}`;
  }
  throw failure;
};

/** As registries compute it: the SHA-256 of the text as it is. */
export const digestOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** @param declared the request's imageManifestMediaType */
export const readManifest = (text: string, declared: string | undefined): Manifest => {
  const digest = digestOf(text);
  try {
    return { digest, facts: read(text, declared) };
  } catch (failure) {
    return { digest, fault: faultOf(failure) };
  }
};

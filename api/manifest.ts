// What PutImage's manifest says: its kind, its digest and its sizes, read without believing the request. Pure.

import { z } from 'zod';
import { sha256Of } from './digest.ts';
import {
  maxManifestDepth,
  maxManifestStructuralCharacters,
  maxPolicyEscapes,
  maxPolicyTexts,
} from './limits.ts';
import { artifact, type descriptor, image, index, ManifestFault, type platform } from './manifest-schemas.ts';
import { JsonFault, parseStrictJson } from './strict-json.ts';

/** The facts of a manifest. Sizes are those that it states: ECR, not this proxy, has the layers. */
type ManifestFacts = {
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

function imageFacts(json: unknown): Facts {
  const { config, layers, artifactType, annotations } = image.parse(json);
  return {
    artifactType: artifactType || (imageConfigs.has(config.mediaType) ? undefined : config.mediaType),
    layerCount: layers.length,
    layerMediaTypes: mediaTypesOf(layers),
    totalBytes: bytesOf([config, ...layers]),
    configMediaType: config.mediaType,
    ...noManifests,
    annotations,
  };
}

/** Build tools list attestations under the platform unknown/unknown. */
const isPlatform = ({ os, architecture }: z.output<typeof platform> = {}) =>
  os !== 'unknown' && Boolean(os || architecture);

function indexFacts(json: unknown): Facts {
  const { manifests, artifactType, annotations } = index.parse(json);
  return {
    artifactType: artifactType || undefined,
    layerCount: 0,
    layerMediaTypes: [],
    totalBytes: bytesOf(manifests),
    configMediaType: undefined,
    manifestCount: manifests.length,
    manifestMediaTypes: mediaTypesOf(manifests),
    platformCount: manifests.filter((one) => isPlatform(one.platform)).length,
    annotations,
  };
}

function artifactFacts(json: unknown): Facts {
  const { blobs, artifactType, annotations } = artifact.parse(json);
  return {
    artifactType: artifactType || undefined,
    layerCount: blobs.length,
    layerMediaTypes: mediaTypesOf(blobs),
    totalBytes: bytesOf(blobs),
    configMediaType: undefined,
    ...noManifests,
    annotations,
  };
}

const readers: Readonly<Record<string, (json: unknown) => Facts>> = {
  'application/vnd.oci.image.manifest.v1+json': imageFacts,
  'application/vnd.oci.image.index.v1+json': indexFacts,
  'application/vnd.oci.artifact.manifest.v1+json': artifactFacts,
  'application/vnd.docker.distribution.manifest.v2+json': imageFacts,
  'application/vnd.docker.distribution.manifest.list.v2+json': indexFacts,
};

/** The media types that a manifest may have here. */
export const manifestMediaTypes: readonly string[] = Object.keys(readers);

/** Source: API reference of PutImage, imageManifestMediaType. */
function mediaTypeOf(own: unknown, declared: string | undefined): string {
  // To Go an empty text is an absent one.
  const mediaType = own === undefined || own === null || own === '' ? declared : own;
  if (typeof mediaType !== 'string') {
    throw new ManifestFault('a mediaType, or the request an imageManifestMediaType');
  }
  if (declared !== undefined && declared !== mediaType) {
    throw new ManifestFault('the mediaType that imageManifestMediaType says');
  }
  return mediaType;
}

/** How many of its characters Cedar does not take as they are. */
function escapesIn(text: string): number {
  let escapes = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) {
      escapes++;
    }
  }
  return escapes;
}

/** The policy decides about these texts: there are as many as it can read within a request's time. */
function assertReadable(facts: Facts) {
  const { artifactType = '', configMediaType = '', layerMediaTypes, manifestMediaTypes, annotations } = facts;
  const texts = [
    ...[artifactType, configMediaType, ...layerMediaTypes, ...manifestMediaTypes],
    ...Object.entries(annotations).flat(),
  ];
  if (texts.length > maxPolicyTexts) {
    throw new ManifestFault(
      `${maxPolicyTexts} media types and annotations at most, an annotation counting twice`,
    );
  }
  if (texts.reduce((sum, text) => sum + escapesIn(text), 0) > maxPolicyEscapes) {
    throw new ManifestFault(
      `annotations of ${maxPolicyEscapes} quotes, backslashes and characters beyond ASCII at most`,
    );
  }
}

function factsOf(text: string, declared: string | undefined): ManifestFacts {
  const json = parseStrictJson(text, maxManifestDepth, maxManifestStructuralCharacters);
  const mediaType = mediaTypeOf(json.mediaType, declared);
  const reader = Object.hasOwn(readers, mediaType) ? readers[mediaType] : undefined;
  if (!reader) {
    throw new ManifestFault(`a mediaType that is one of ${Object.keys(readers).join(', ')}`);
  }
  const facts = reader(json);
  assertReadable(facts);
  return { mediaType, ...facts };
}

const placesOf = ({ issues }: z.ZodError) =>
  [...new Set(issues.map(({ path }) => path.join('.')))].slice(0, 5);

function faultOf(failure: unknown): string {
  if (failure instanceof ManifestFault || failure instanceof JsonFault) {
    return failure.message;
  }
  if (failure instanceof z.ZodError) {
    return `what its media type demands at ${placesOf(failure).join(', ')}`;
  }
  throw failure;
}

/** @param declared the request's imageManifestMediaType */
export function readManifest(text: string, declared: string | undefined): Manifest {
  const digest = sha256Of(text);
  try {
    return { digest, facts: factsOf(text, declared) };
  } catch (error) {
    return { digest, fault: faultOf(error) };
  }
}

/** The members of PutImage that say what is put. */
export type ManifestMembers = { imageManifest: string; imageManifestMediaType?: string | undefined };

const manifests = new WeakMap<ManifestMembers, Manifest>();

/** The manifest of a request, which is read once: for the policy, for the quotas and before it is forwarded. */
export function manifestOf(members: ManifestMembers): Manifest {
  const known = manifests.get(members);
  if (known) {
    return known;
  }
  const manifest = readManifest(members.imageManifest, members.imageManifestMediaType);
  manifests.set(members, manifest);
  return manifest;
}

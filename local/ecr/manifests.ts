// Reading an image manifest: its media type, and the layers or images it refers to. Pure.

import { z } from 'zod';
import { EcrError, invalidParameter } from './errors.ts';

const descriptor = z.object({
  mediaType: z.string().min(1),
  digest: z.string().regex(/^sha256:[a-f0-9]{64}$/),
  size: z.int().min(0),
});

/** Go's parsers take null for absent; what ECR does is not known. */
const absent = z.null().optional();

const image = z.object({
  schemaVersion: z.literal(2),
  config: descriptor,
  layers: z.array(descriptor),
  manifests: absent,
});

const index = z.object({
  schemaVersion: z.literal(2),
  manifests: z.array(descriptor).min(1),
  config: absent,
  layers: absent,
});

export type Descriptor = z.output<typeof descriptor>;

/** What a manifest refers to: `layers` (the config among them) or, for an index, `images`. */
export type Manifest = { mediaType: string; layers: Descriptor[]; images: Descriptor[] };

function asImage(json: unknown): Omit<Manifest, 'mediaType'> {
  const { config, layers } = image.parse(json);
  // @see https://github.com/werf/werf/issues/2544
  if (layers.length === 0) {
    throw invalidParameter('ImageManifest', 'Image has to have at least 1 layer');
  }
  return { layers: [config, ...layers.filter(isStored)], images: [] };
}

const asIndex = (json: unknown): Omit<Manifest, 'mediaType'> => ({
  layers: [],
  images: index.parse(json).manifests,
});

/** The kinds modelled. OCI artifacts are image manifests with an `artifactType`. Docker's schema 1 is refused. */
const kinds = new Map([
  ['application/vnd.docker.distribution.manifest.v2+json', asImage],
  ['application/vnd.oci.image.manifest.v1+json', asImage],
  ['application/vnd.docker.distribution.manifest.list.v2+json', asIndex],
  ['application/vnd.oci.image.index.v1+json', asIndex],
]);

/** Layers that registries need not hold: Docker's foreign and OCI's (deprecated) non-distributable ones. */
const isStored = ({ mediaType }: Descriptor): boolean =>
  !/^application\/vnd\.(docker\.image\.rootfs\.foreign\.|oci\.image\.layer\.nondistributable\.)/.test(
    mediaType,
  );

/**
 * @param declared the request's `imageManifestMediaType`; needed when the manifest does not say it itself (API
 * reference of PutImage).
 * @throws {EcrError} InvalidParameterException, in ECR's words, with what is wrong in brackets behind them.
 */
export function parseManifest(text: string, declared: string | undefined): Manifest {
  const json = parseObject(text);
  const own = json.mediaType;
  if (own !== undefined && typeof own !== 'string') {
    throw invalid('mediaType is not a string');
  }
  if (own !== undefined && declared !== undefined && own !== declared) {
    throw invalid(`mediaType is ${own}, imageManifestMediaType is ${declared}`);
  }
  const mediaType = own ?? declared;
  if (mediaType === undefined) {
    throw invalid('the manifest has no mediaType and the request no imageManifestMediaType');
  }
  const read = kinds.get(mediaType);
  if (!read) {
    throw invalid(`${mediaType} is not one of ${[...kinds.keys()].join(', ')}`);
  }
  try {
    return { mediaType, ...read(json) };
  } catch (error) {
    if (error instanceof z.ZodError) {
      throw invalid(`its media type demands another value at ${placesOf(error)}`);
    }
    throw error;
  }
}

const placesOf = ({ issues }: z.ZodError) =>
  [...new Set(issues.map(({ path }) => path.join('.')))].join(', ');

function parseObject(text: string): Record<string, unknown> {
  // A lone surrogate has no UTF-8: the digest would be that of other bytes than were sent.
  if (!text.isWellFormed()) {
    throw invalid('the manifest is not well-formed Unicode');
  }
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch {
    throw invalid('the manifest is not a JSON object');
  }
}

/** @see https://github.com/aws/aws-sdk/issues/193 for the words, used also where no media type is known. */
function invalid(detail: string): EcrError {
  const { name, message } = invalidParameter('ImageManifest', 'Invalid JSON syntax');
  return new EcrError(name, `${message} (${detail})`);
}

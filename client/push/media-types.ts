// Media types of descriptors: which manifests ECR stores, and which layers a registry need not have.

const images: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]);

const indexes: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);

const artifact = 'application/vnd.oci.artifact.manifest.v1+json';

export const isIndexType = (mediaType: string): boolean => indexes.has(mediaType);

/** Source: ECR user guide, "Container image manifest format support". */
export const isManifestType = (mediaType: string): boolean =>
  images.has(mediaType) || indexes.has(mediaType) || mediaType === artifact;

/** Docker's first manifests, which ECR's layers do not fit. */
export const isSchema1Type = (mediaType: string): boolean =>
  /^application\/vnd\.docker\.distribution\.manifest\.v1\+(json|prettyjws)$/.test(mediaType);

/** Layers that registries need not hold, and that no source has to. */
export const isForeignType = (mediaType: string): boolean => /\.(foreign|nondistributable)\./.test(mediaType);

// Every limit that both registries share, in bytes unless the name says otherwise, with its source.

const mebibyte = 1_048_576;

/** Quota "minimum layer part size": 5 MiB, for every part but the last. */
export const minLayerPartBytes = 5 * mebibyte;

/** Quota "maximum layer part size": 10 MiB; also what ECR answers as `partSize`. */
export const maxLayerPartBytes = 10 * mebibyte;

/** Service model, `LayerPartBlob`: at most 20,971,520 bytes decoded. */
export const maxLayerPartBlobBytes = 20 * mebibyte;

/** Room for the largest `LayerPartBlob` in base64 (27,962,028) when a client escapes every `/`, and its JSON. */
export const maxRequestBytes = 32 * mebibyte;

/** Service model, `LayerDigestList` and `BatchedOperationLayerDigestList`. */
export const maxLayerDigests = 100;

/** Service model, `BatchedOperationLayerDigest`. */
export const maxBatchedDigestChars = 1_000;

/** Service model, `ImageManifest`. */
export const maxImageManifestChars = 4_194_304;

/** Service model, `ImageTag`. */
export const maxImageTagChars = 300;

/** Service model, `ImageIdentifierList` and `MediaTypeList` of BatchGetImage. */
export const maxImageIds = 100;
export const maxMediaTypes = 100;

/** Service model, `MaxResults` of ListImages; how many it gives where none is asked for is its documentation's. */
export const maxListedImages = 1_000;
export const usualListedImages = 100;

/** Service model, `FiftyMaxResults` of ListImageReferrers, and what its documentation says of none. */
export const maxListedReferrers = 50;
export const usualListedReferrers = 20;

/** Service model, `ArtifactTypeList` and `ArtifactType`. */
export const maxArtifactTypes = 5;
export const maxArtifactTypeChars = 255;

/** For how long a download URL can be used. ECR's documentation speaks of "a time-limited" one; an hour is inferred. */
export const downloadUrlSeconds = 3_600;

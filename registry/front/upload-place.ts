// Where an upload goes on, as two headers say it.

import type { UploadState } from '../port.ts';

/**
 * The path alone, so that it holds behind whatever name the client knows this registry by. `Range` is of the whole
 * upload, its last byte included, and `0-0` where there is none: docker refuses `0--1`.
 */
export const uploadPlaceOf = (repositoryName: string, { reference, position }: UploadState) => ({
  location: `/v2/${repositoryName}/blobs/uploads/${reference}`,
  range: `0-${Math.max(0, position - 1)}`,
});

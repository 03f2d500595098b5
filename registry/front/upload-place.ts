// Where an upload goes on, as two headers say it.

import type { UploadState } from '../port.ts';

/** The path alone, so that it holds behind whatever name the client knows this registry by. */
const locationOf = (repositoryName: string, reference: string) =>
  `/v2/${repositoryName}/blobs/uploads/${reference}`;

/**
 * After a request that was taken. `Range` is of the whole upload, its last byte included, and `0-0` where there is
 * none: docker refuses `0--1` here.
 */
export const uploadPlaceOf = (repositoryName: string, { reference, position }: UploadState) => ({
  location: locationOf(repositoryName, reference),
  range: `0-${Math.max(0, position - 1)}`,
});

/**
 * For a client that does not know, after 416 or when it asks. `Range` of an upload that has nothing is `0--1`: `0-0` is
 * that of one byte, and regctl, which goes on behind the last byte, would go on with the second. docker does not ask.
 */
export const whereToGoOn = (repositoryName: string, { reference, position }: UploadState) => ({
  location: locationOf(repositoryName, reference),
  range: `0-${position - 1}`,
});

// The layer and the image that clients push here: five parts of four bytes, the last one shorter.

import { digestOf, layerOf, partSize, positionsOf } from '../interleavings/content.ts';
import { manifestOf } from '../support/manifests.ts';

export const repositoryName = 'team-a/app';
/** Of the account's registry at ECR Public. */
export const registryAlias = 'our-alias';
export const tag = '1.0';

/** Two pairs that are joined, and a short part. */
export const layer = layerOf('distinct', 2 * 2 * partSize + 2);
/** One part, which waits until the upload is completed. */
export const waitingLayer = layerOf('distinct', partSize);

export const digest = digestOf(layer);
export const manifest = manifestOf(layer, [layer]);
export const imageDigest = digestOf(Buffer.from(manifest));

/** The members of UploadLayerPart for one part. */
export function partOf(bytes: Uint8Array, part: number) {
  const positions = positionsOf(part, bytes.length);
  return { ...positions, layerPartBlob: bytes.slice(positions.partFirstByte, positions.partLastByte + 1) };
}

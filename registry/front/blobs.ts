// Asking after blobs: whether ECR has one, and the bytes of the small ones that were pushed through here.

import { isProblem } from '../../client/problem.ts';
import { digestOf } from './digests.ts';
import { type Exchange, type Handler, scopeOf } from './exchange.ts';
import { OciError } from './oci-errors.ts';

/** `HEAD …/blobs/<digest>`: a client sends no layer that is there. */
export const headBlob: Handler = async (exchange) => {
  const layerDigest = digestOf(exchange.reference);
  const layer = await find(exchange, layerDigest);
  if (!layer) {
    throw new OciError('BLOB_UNKNOWN', 'this repository has no such layer');
  }
  const { layerSize } = layer;
  return {
    status: 200,
    headers: {
      'content-type': 'application/octet-stream',
      'docker-content-digest': layerDigest,
      ...(layerSize !== undefined && { 'content-length': layerSize }),
    },
  };
};

/** `GET …/blobs/<digest>`: what clients read back while they push, an image's config above all. */
export const getBlob: Handler = async (exchange) => {
  const digest = digestOf(exchange.reference);
  const content = exchange.pushed.find(scopeOf(exchange), digest);
  if (!content) {
    throw new OciError(
      'BLOB_UNKNOWN',
      'this registry takes pushes: it gives back only small blobs that were lately pushed through it',
    );
  }
  const headers = { 'content-type': content.mediaType, 'docker-content-digest': digest };
  return { status: 200, headers, body: content.bytes };
};

/**
 * One who may not ask is told that it is not there: an answer to HEAD has no body for the reason, and the push
 * that follows meets it.
 */
async function find({ identity, destination }: Exchange, layerDigest: string) {
  try {
    return await identity.uploader.findLayer({ ...destination, layerDigest });
  } catch (error) {
    if (isProblem(error, 'AccessDeniedException')) {
      return undefined;
    }
    throw error;
  }
}

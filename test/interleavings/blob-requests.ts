// What OCI clients send of one blob to the registry endpoint, as HTTP has it.

import { digestOf, layerOf, otherThan } from './content.ts';
import type { HttpRequest } from './endpoint.ts';
import { positionOf } from './upload-location.ts';

/** A piece of the layer: from a byte on, to before another one. */
type Piece = readonly [from: number, to: number];

type BySomebody = { readonly from?: 'stranger' };

/** At the `Location` that the client was told last. `of`: other bytes than the layer's, as of a client that mixes layers up. */
export type BlobRequest =
  /** `butFor`: so many bytes of the piece do not come, and the connection stays open. */
  | ({ readonly patch: Piece; readonly of?: 'other'; readonly butFor?: number } & BySomebody)
  | ({ readonly put: Piece; readonly of?: 'other' } & BySomebody)
  | { readonly post: 'to begin' | 'with the blob' | 'to mount' }
  | ({ readonly get: 'the upload' } & BySomebody)
  | { readonly head: 'the blob' }
  | { readonly delete: 'the upload' };

export type Blob = { readonly layer: Uint8Array; readonly other: Uint8Array; readonly digest: string };

export function blobOf(length: number): Blob {
  const layer = layerOf('distinct', length);
  return { layer, other: otherThan(layer), digest: digestOf(layer) };
}

export const repositoryName = 'team/app';
const blobs = `/v2/${repositoryName}/blobs`;

/** As the network brings it. */
const inPieces = (bytes: Uint8Array): Uint8Array[] =>
  [bytes.subarray(0, 7), bytes.subarray(7)].filter(({ length }) => length > 0);

export function httpOf(request: BlobRequest, location: string, { layer, other, digest }: Blob): HttpRequest {
  if ('patch' in request || 'put' in request) {
    const piece = 'patch' in request ? request.patch : request.put;
    // A client goes on from where its Location says that the upload is.
    const bytes = (request.of === 'other' ? other : layer).slice(
      Math.max(piece[0], positionOf(location)),
      piece[1],
    );
    const missing = 'patch' in request ? (request.butFor ?? 0) : 0;
    return {
      ...('patch' in request
        ? { method: 'PATCH', path: location }
        : { method: 'PUT', path: `${location}?digest=${digest}` }),
      headers: { 'content-length': bytes.length },
      body: inPieces(bytes.subarray(0, bytes.length - missing)),
      breaksOff: missing > 0,
    };
  }
  if ('post' in request) {
    const path = `${blobs}/uploads/`;
    switch (request.post) {
      case 'with the blob':
        return {
          method: 'POST',
          path: `${path}?digest=${digest}`,
          headers: { 'content-length': layer.length },
          body: inPieces(layer),
        };
      case 'to mount':
        return { method: 'POST', path: `${path}?mount=${digest}&from=team/other`, headers: {} };
      default:
        return { method: 'POST', path, headers: {} };
    }
  }
  if ('head' in request) {
    return { method: 'HEAD', path: `${blobs}/${digest}`, headers: {} };
  }
  return { method: 'get' in request ? 'GET' : 'DELETE', path: location, headers: {} };
}

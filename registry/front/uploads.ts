// Pushing a blob: begun, brought in one request or in many, asked after, finished, cancelled.

import type { IncomingBytes, UploadState } from '../port.ts';
import { contentRangeOf, lengthOf, ofLength } from './content-range.ts';
import type { Answer, Exchange, Handler } from './exchange.ts';
import { storableDigestOf } from './names.ts';
import { busy } from './oci-errors.ts';
import { uploadPlaceOf, whereToGoOn } from './upload-place.ts';

/**
 * `POST …/blobs/uploads/`: an upload's `Location`; with `digest` and a body, the whole blob. Layers cannot be
 * mounted through ECR's layer API: such a wish is answered as any other, which is what the spec asks for.
 */
export const beginUpload: Handler = async (exchange) => {
  const { port, slots, repositoryName, query, headers } = exchange;
  if (exchange.isClosing) {
    throw busy('this registry is being stopped: try again');
  }
  const digest = query.has('digest') && hasBody(headers) ? storableDigestOf(query.get('digest')) : undefined;
  slots.assertFree(port.client);
  const state = await port.begin(repositoryName);
  if (digest === undefined) {
    return { status: 202, headers: headersOf(repositoryName, state, port.minChunkBytes) };
  }
  try {
    return await finish(exchange, state.reference, digest);
  } catch (error) {
    // Its client knows no name for it.
    await port.cancel(repositoryName, state.reference);
    throw error;
  }
};

/** `PATCH …/blobs/uploads/<reference>`: the next bytes, of any number, with or without their Content-Range. */
export const appendToUpload: Handler = async (exchange) => {
  const { port, slots, repositoryName, reference } = exchange;
  const incoming = incomingOf(exchange);
  const state = await slots.hold(port.client, () => port.append(repositoryName, reference, incoming));
  return { status: 202, headers: headersOf(repositoryName, state, port.minChunkBytes) };
};

/** `PUT …/blobs/uploads/<reference>?digest=`: the last bytes, or all, or none; and the digest of them all. */
export const finishUpload: Handler = async (exchange) =>
  finish(exchange, exchange.reference, storableDigestOf(exchange.query.get('digest')));

/** `GET …/blobs/uploads/<reference>`: how far it is. */
export const getUploadStatus: Handler = async ({ port, repositoryName, reference }) => {
  const state = await port.status(repositoryName, reference);
  const headers = headersOf(repositoryName, state, port.minChunkBytes);
  return { status: 204, headers: { ...headers, ...whereToGoOn(repositoryName, state) } };
};

/** `DELETE …/blobs/uploads/<reference>`: also of one that nobody knows, for tools clean up after themselves. */
export const cancelUpload: Handler = async ({ port, repositoryName, reference }) => {
  await port.cancel(repositoryName, reference);
  return { status: 204 };
};

const headersOf = (repositoryName: string, state: UploadState, minChunkBytes: number) => ({
  ...uploadPlaceOf(repositoryName, state),
  'docker-upload-uuid': state.reference,
  'oci-chunk-min-length': minChunkBytes,
});

async function finish(exchange: Exchange, reference: string, digest: string): Promise<Answer> {
  const { port, slots, repositoryName } = exchange;
  const incoming = incomingOf(exchange);
  await slots.hold(port.client, () => port.finish(repositoryName, reference, digest, incoming));
  const location = `/v2/${repositoryName}/blobs/${digest}`;
  return { status: 201, headers: { location, 'docker-content-digest': digest } };
}

/** Also one of which nobody says how long it is. */
const hasBody = (headers: Exchange['headers']): boolean => lengthOf(headers) !== 0;

/** @throws OciError BLOB_UPLOAD_INVALID, SIZE_INVALID */
function incomingOf({ headers, body }: Exchange): IncomingBytes {
  const range = contentRangeOf(headers);
  const length = lengthOf(headers);
  return {
    first: range?.first,
    length: length ?? range?.length,
    chunks: range && length === undefined ? ofLength(range.length, body) : body,
  };
}

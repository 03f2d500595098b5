// Pushing a blob: begun, brought in one request or in many, asked after, finished, cancelled.

import { partSize } from '../../api/limits.ts';
import { type BlobUpload, maxKeptBlobBytes } from '../../client/bridge/blob-upload.ts';
import { digestOf } from './digests.ts';
import { type Answer, type Exchange, type Handler, scopeOf } from './exchange.ts';
import { OciError } from './oci-errors.ts';

/**
 * `POST …/blobs/uploads/`: an upload's session; with `digest` and a body, the whole blob. Layers cannot be
 * mounted through ECR's layer API: such a wish is answered with a session, which is what the spec asks for.
 */
export const beginUpload: Handler = async (exchange) => {
  const { uploads, identity, destination, query, headers } = exchange;
  const upload = await uploads.begin(identity, destination);
  if (query.has('digest') && hasBody(headers)) {
    return finish(exchange, upload);
  }
  return { status: 202, headers: { ...placeOf(upload), 'oci-chunk-min-length': partSize } };
};

/** `PATCH …/blobs/uploads/<id>`: the next bytes, of any number, with or without their Content-Range. */
export const appendToUpload: Handler = async (exchange) => {
  const upload = find(exchange);
  await append(exchange, upload);
  return { status: 202, headers: placeOf(upload) };
};

/** `PUT …/blobs/uploads/<id>?digest=`: the last bytes, or all, or none; and the digest of them all. */
export const finishUpload: Handler = async (exchange) => finish(exchange, find(exchange));

/** `GET …/blobs/uploads/<id>`: how far it is. */
export const getUploadStatus: Handler = async (exchange) => ({
  status: 204,
  headers: placeOf(find(exchange)),
});

/** `DELETE …/blobs/uploads/<id>` */
export const cancelUpload: Handler = async (exchange) => {
  const upload = find(exchange);
  exchange.uploads.remove(upload);
  upload.cancel();
  return { status: 204 };
};

const find = ({ uploads, identity, destination, reference }: Exchange): BlobUpload =>
  uploads.find(identity, destination, reference);

const hasBody = (headers: Exchange['headers']): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** Relative, so that they hold behind whatever name the client knows this registry by. */
const placeOf = ({ id, position, destination }: BlobUpload) => ({
  location: `/v2/${destination.repositoryName}/blobs/uploads/${id}`,
  range: `0-${Math.max(0, position - 1)}`,
  'docker-upload-uuid': id,
});

async function finish(exchange: Exchange, upload: BlobUpload): Promise<Answer> {
  const { query, uploads, pushed, destination } = exchange;
  const digest = digestOf(query.get('digest'));
  await append(exchange, upload);
  uploads.remove(upload);
  await upload.finish(digest);
  const { kept } = upload;
  if (kept && kept.length <= maxKeptBlobBytes) {
    pushed.keep(scopeOf(exchange), digest, { bytes: kept, mediaType: 'application/octet-stream' });
  }
  const location = `/v2/${destination.repositoryName}/blobs/${digest}`;
  return { status: 201, headers: { location, 'docker-content-digest': digest } };
}

/**
 * A failure of the push ends the upload; bytes that did not come, and a wrong offset, leave it as it was.
 * @throws OciError RANGE_INVALID where the bytes are not the next ones
 */
async function append({ headers, body, uploads }: Exchange, upload: BlobUpload): Promise<void> {
  const range = headers['content-range'];
  if (range !== undefined) {
    refuseOtherThanNext(range, upload);
  }
  try {
    await upload.append(body);
  } catch (error) {
    if (upload.failed) {
      uploads.remove(upload);
    }
    throw error;
  }
}

/** `<first>-<last>`, as OCI writes it, or as HTTP does: `bytes <first>-<last>/*`. */
function refuseOtherThanNext(range: string, upload: BlobUpload): void {
  const first = /^(?:bytes[ =])?(\d+)-\d+(?:\/(?:\d+|\*))?$/.exec(range)?.[1];
  if (first === undefined) {
    throw new OciError('BLOB_UPLOAD_INVALID', 'Content-Range is not <first byte>-<last byte>');
  }
  if (Number(first) === upload.position) {
    return;
  }
  throw new OciError('RANGE_INVALID', `the next byte of this upload is ${upload.position}, not ${first}`, {
    headers: placeOf(upload),
  });
}

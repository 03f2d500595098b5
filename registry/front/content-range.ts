// Content-Range of a chunk, and whether the chunk is as long as it says.

import type { IncomingHttpHeaders } from 'node:http';
import { OciError } from './oci-errors.ts';

/** Undefined for a body whose length nobody says, such as a chunked one; 0 for a request without a body. */
export function lengthOf(headers: IncomingHttpHeaders): number | undefined {
  if (headers['transfer-encoding'] !== undefined) {
    return undefined;
  }
  return Number(headers['content-length'] ?? 0);
}

/**
 * `<first>-<last>`, as OCI writes it, or as HTTP does: `bytes <first>-<last>/*`.
 * @returns undefined where the request has none
 * @throws OciError BLOB_UPLOAD_INVALID; SIZE_INVALID where the body has another length
 */
export function contentRangeOf(headers: IncomingHttpHeaders): { first: number; length: number } | undefined {
  const text = headers['content-range'];
  if (text === undefined) {
    return undefined;
  }
  const [, from, to] = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d{1,15}|\*))?$/.exec(text) ?? [];
  const first = Number(from);
  const length = Number(to) + 1 - first;
  if (!(length >= 0)) {
    throw new OciError('BLOB_UPLOAD_INVALID', 'Content-Range is not <first byte>-<last byte>');
  }
  const said = lengthOf(headers);
  if (said !== undefined && said !== length) {
    throw wrongLength(`the body has ${said} bytes, and Content-Range says ${length}`);
  }
  return { first, length };
}

const wrongLength = (message: string): OciError => new OciError('SIZE_INVALID', message);

/** The bytes of a body that does not say how long it is. @throws OciError SIZE_INVALID where it is not that long */
export async function* ofLength(
  length: number,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, undefined> {
  let left = length;
  for await (const chunk of body) {
    left -= chunk.length;
    if (left < 0) {
      throw wrongLength(`the body has more bytes than the ${length} of its Content-Range`);
    }
    yield chunk;
  }
  if (left > 0) {
    throw wrongLength(`the body has ${length - left} bytes, and Content-Range says ${length}`);
  }
}

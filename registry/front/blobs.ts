// Asking after blobs: whether ECR has one, and its bytes.

import type { RegistryPort } from '../port.ts';
import type { Answer, Handler } from './exchange.ts';
import { isStorable } from './names.ts';
import { isMeant, OciError } from './oci-errors.ts';

const unknown = (cause?: unknown): OciError =>
  new OciError('BLOB_UNKNOWN', 'this repository has no such layer', { cause });

/**
 * `HEAD …/blobs/<digest>`: a client sends no layer that is there. Who may not ask is told that it is not: any answer but
 * 200 with a length and 404 ends the push of most clients, and what they send next meets the policy's reason.
 */
export const headBlob: Handler = async ({ port, repositoryName, reference }) => {
  const size = isStorable(reference) ? await sizeOf(port, repositoryName, reference) : undefined;
  if (size === undefined) {
    throw unknown();
  }
  return { status: 200, headers: headersOf(reference, size) };
};

async function sizeOf(
  port: RegistryPort,
  repositoryName: string,
  digest: string,
): Promise<number | undefined> {
  try {
    return (await port.hasBlob(repositoryName, digest))?.size;
  } catch (error) {
    throw isMeant(error, 'AccessDeniedException') ? unknown(error) : error;
  }
}

/** `GET …/blobs/<digest>` */
export const getBlob: Handler = async ({ port, repositoryName, reference }): Promise<Answer> => {
  const content = isStorable(reference) ? await port.getBlob(repositoryName, reference) : undefined;
  if (!content) {
    throw unknown();
  }
  if ('url' in content) {
    return { status: 307, headers: { location: content.url, 'docker-content-digest': reference } };
  }
  return { status: 200, headers: headersOf(reference, content.size), body: content.chunks };
};

const headersOf = (digest: string, size: number) => ({
  'content-type': 'application/octet-stream',
  'docker-content-digest': digest,
  'content-length': size,
});

// Asking after blobs: whether ECR has one, and its bytes.

import { ProxyError } from '../../api/proxy-error.ts';
import type { RegistryPort } from '../port.ts';
import type { Answer, Handler } from './exchange.ts';
import { isStorable } from './names.ts';
import { isRefused, OciError } from './oci-errors.ts';

const unknown = (cause?: unknown): OciError =>
  new OciError('BLOB_UNKNOWN', 'this repository has no such layer', { cause });

/**
 * `HEAD …/blobs/<digest>`: a client sends no layer that is there. Any answer but 200 with a length and 404 ends the
 * push of most clients, without a reason, for an answer to HEAD has no body: what follows the 404 meets the reason.
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
    if (error instanceof ProxyError && !isRefused(error, 'blob', ['UNAUTHORIZED'])) {
      throw unknown(error);
    }
    throw error;
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

// A blob's bytes: where ECR has them for a while, or those bytes themselves, for clients that have no way there.

import { ProxyError } from '../../api/proxy-error.ts';
import type { BlobContent } from '../port.ts';
import type { ReadOptions } from './read-images.ts';

/** How clients get the bytes of a blob. */
export const blobModes = ['redirect', 'stream'] as const;

export type BlobMode = (typeof blobModes)[number];

/** @returns undefined where ECR does not have it */
export async function readBlob(
  layerDigest: string,
  mode: BlobMode,
  { calls, call, repositoryName }: ReadOptions,
): Promise<BlobContent | undefined> {
  try {
    const { downloadUrl } = await calls.send('GetDownloadUrlForLayer', { repositoryName, layerDigest }, call);
    return mode === 'redirect' ? { url: downloadUrl } : await stream(downloadUrl, call.signal);
  } catch (error) {
    if (error instanceof ProxyError && error.code === 'LayersNotFoundException') {
      return undefined;
    }
    throw error;
  }
}

async function stream(url: string, signal: AbortSignal): Promise<BlobContent> {
  const { ok, status, headers, body } = await fetch(url, { signal }).catch((error: unknown) => {
    throw new ProxyError('ServiceUnavailableException', undefined, { cause: error });
  });
  const size = Number(headers.get('content-length') ?? Number.NaN);
  if (!ok || body === null || !Number.isSafeInteger(size)) {
    await body?.cancel();
    throw new ProxyError('ServerException', undefined, {
      cause: new Error(`the layer's URL answered ${status}`),
    });
  }
  return { size, chunks: body };
}

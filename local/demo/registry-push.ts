// Pushes an image as a container tool does, by the OCI distribution API: each blob in one request, then the manifest.

import { openAsBlob } from 'node:fs';
import type { Image } from './image.ts';

type Destination = {
  registryUrl: string;
  token: string;
  repositoryName: string;
  imageTag: string;
  signal?: AbortSignal;
};

/** @throws Error with what the registry answers where that is no success */
export async function pushToRegistry(image: Image, destination: Destination): Promise<void> {
  const { registryUrl, token, repositoryName, imageTag, signal } = destination;
  const authorization = `Basic ${Buffer.from(`any:${token}`).toString('base64')}`;
  const send = async (method: string, url: URL, contentType?: string, body?: Blob | string) => {
    const answer = await fetch(url, {
      method,
      headers: { authorization, ...(contentType && { 'content-type': contentType }) },
      body: body ?? null,
      signal: signal ?? null,
    });
    const text = await answer.text();
    if (!answer.ok) {
      throw new Error(`the registry endpoint answers ${answer.status}: ${text}`);
    }
    return answer;
  };

  const repositoryUrl = new URL(`/v2/${repositoryName}/`, registryUrl);
  for (const { path, digest } of [image.config, ...image.layers]) {
    const begun = await send('POST', new URL('blobs/uploads/', repositoryUrl));
    const upload = new URL(begun.headers.get('location') ?? '', registryUrl);
    upload.searchParams.set('digest', digest);
    await send('PUT', upload, 'application/octet-stream', await openAsBlob(path));
  }
  await send('PUT', new URL(`manifests/${imageTag}`, repositoryUrl), image.mediaType, image.manifest);
}

// Pulls an image back from the registry and says where it differs from the one that was built.

import { createHash } from 'node:crypto';
import type { Blob, Image } from './image.ts';

/** One line: what differs, and how. */
export type Difference = string;

type Pulled = { status: number; contentType: string | null; digest: string; size: number };

/**
 * Asks `/v2/` for the manifest by its tag and for every blob, hashes the bytes that come, and compares
 * digests, sizes and the manifest's media type.
 * @throws what `fetch` throws when the registry is not there
 */
export async function compareWithRegistry(
  registryUrl: string,
  repositoryName: string,
  imageTag: string,
  image: Image,
  signal?: AbortSignal,
): Promise<Difference[]> {
  const base = `${registryUrl}/v2/${repositoryName}`;
  const manifest = await pull(`${base}/manifests/${imageTag}`, { accept: image.mediaType }, signal);
  const size = Buffer.byteLength(image.manifest);
  const differences = differencesOf('the manifest', { digest: image.digest, size }, manifest);
  if (manifest.status === 200 && manifest.contentType !== image.mediaType) {
    differences.push(`the manifest has the media type ${manifest.contentType} instead of ${image.mediaType}`);
  }
  for (const blob of [image.config, ...image.layers]) {
    const pulled = await pull(`${base}/blobs/${blob.digest}`, {}, signal);
    differences.push(...differencesOf(titleOf(blob), blob, pulled));
  }
  return differences;
}

const titleOf = ({ name }: Blob): string => (name === 'config' ? 'the config' : `the layer "${name}"`);

async function pull(url: string, headers: Record<string, string>, signal?: AbortSignal): Promise<Pulled> {
  const answer = await fetch(url, { headers, signal: signal ?? null });
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    hash.update(chunk);
    size += chunk.length;
  }
  const digest = `sha256:${hash.digest('hex')}`;
  return { status: answer.status, contentType: answer.headers.get('content-type'), digest, size };
}

function differencesOf(
  what: string,
  expected: { digest: string; size: number },
  { status, digest, size }: Pulled,
): Difference[] {
  if (status !== 200) {
    return [`${what} is not there: the registry answers ${status}`];
  }
  if (size !== expected.size) {
    return [`${what} has ${size} bytes instead of ${expected.size}`];
  }
  return digest === expected.digest ? [] : [`${what} has the digest ${digest} instead of ${expected.digest}`];
}

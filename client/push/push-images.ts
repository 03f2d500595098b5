// Pushes a source's images: what is missing of their blobs side by side, then their manifests, children first.

import pLimit from 'p-limit';
import type { Destination } from '../layer-upload.ts';
import type { Uploader } from '../uploader.ts';
import type { Blob, Images, Manifest } from './image.ts';
import type { Progress } from './progress.ts';

export type PushedBlob = {
  digest: string;
  size: number;
  outcome: Outcome;
  requests: number;
  seconds: number;
};
export type PushedManifest = { digest: string; mediaType: string; tag?: string; outcome: Outcome };
export type PushReport = { layers: PushedBlob[]; images: PushedManifest[] };
type Outcome = 'pushed' | 'alreadyThere';

export type PushImagesOptions = {
  uploader: Uploader;
  destination: Destination;
  /** How many blobs are under way at once. */
  jobs: number;
  /** Tags by the digest of the manifest that gets them. */
  tags: ReadonlyMap<string, readonly string[]>;
  progress: Progress;
  signal: AbortSignal;
};

/**
 * A second run sends only what is missing. Broken off, it leaves blobs that nothing names, which are found again.
 * @throws LayerProblem, ProxyProblem or the signal's reason; then no blob is under way any more
 */
export async function pushImages(images: Images, options: PushImagesOptions): Promise<PushReport> {
  const { jobs, signal, progress } = options;
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const limit = pLimit(jobs);
  try {
    const pushes = images.blobs.map((blob) =>
      limit(async () => {
        either.throwIfAborted();
        return pushBlob(blob, options, either);
      }),
    );
    for (const push of pushes) push.catch((reason: unknown) => failed.abort(reason));
    const settled = await Promise.allSettled(pushes);
    either.throwIfAborted();
    const layers = settled.flatMap((push) => (push.status === 'fulfilled' ? [push.value] : []));
    const put: PushedManifest[] = [];
    for (const manifest of images.manifests) put.push(...(await putManifest(manifest, options)));
    return { layers, images: put };
  } finally {
    progress.end();
  }
}

async function pushBlob(blob: Blob, options: PushImagesOptions, signal: AbortSignal): Promise<PushedBlob> {
  const { uploader, destination, progress } = options;
  const { digest, size, source } = blob;
  const onProgress = progress.begin(digest.slice(7, 19), size);
  const startedMs = performance.now();
  const { outcome, requests } = await uploader.pushLayer({
    ...destination,
    source,
    layerDigest: digest,
    onProgress,
    signal,
  });
  if (outcome === 'alreadyThere') onProgress(size);
  return { digest, size, outcome, requests, seconds: (performance.now() - startedMs) / 1_000 };
}

/** Once by its digest alone, or once for each of its tags. */
async function putManifest(manifest: Manifest, options: PushImagesOptions): Promise<PushedManifest[]> {
  const { uploader, destination, tags, signal } = options;
  const { digest, mediaType, text } = manifest;
  const members = {
    ...destination,
    imageManifest: text,
    imageManifestMediaType: mediaType,
    imageDigest: digest,
  };
  const put: PushedManifest[] = [];
  for (const imageTag of tags.get(digest) ?? [undefined]) {
    const { outcome } = await uploader.putImage({ ...members, imageTag }, signal);
    put.push({ digest, mediaType, ...(imageTag !== undefined && { tag: imageTag }), outcome });
  }
  return put;
}

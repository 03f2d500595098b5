// Pushes what was chosen of a source: what is missing of its blobs side by side, then the manifests, children first.

import pLimit from 'p-limit';
import { LayerProblem } from '../layer-problem.ts';
import type { Destination } from '../layer-upload.ts';
import { shown } from '../printable.ts';
import type { Uploader } from '../uploader.ts';
import type { Chosen } from './choice.ts';
import type { Blob, Manifest } from './image.ts';
import type { Origin } from './origins.ts';
import type { Progress } from './progress.ts';
import { SourceProblem } from './source-problem.ts';

export type PushedBlob = {
  digest: string;
  size: number;
  outcome: Outcome;
  requests: number;
  seconds: number;
};
export type PushedManifest = Origin & {
  digest: string;
  mediaType: string;
  tags: string[];
  outcome: Outcome;
};
export type PushReport = { layers: PushedBlob[]; images: PushedManifest[] };
type Outcome = 'pushed' | 'alreadyThere';

type PushImagesOptions = {
  uploader: Uploader;
  destination: Destination;
  /** How many blobs are under way at once. */
  jobs: number;
  progress: Progress;
  signal: AbortSignal;
};

/**
 * A second run sends only what is missing. Broken off, it leaves blobs that nothing names, which are found again.
 * @throws SourceProblem, LayerProblem, ProxyProblem or the signal's reason; then no blob is under way any more
 */
export async function pushImages(chosen: Chosen, options: PushImagesOptions): Promise<PushReport> {
  const { jobs, signal, progress } = options;
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const limit = pLimit(jobs);
  try {
    const pushes = chosen.blobs.map((blob) =>
      limit(async () => {
        either.throwIfAborted();
        return pushBlob(blob, options, either);
      }),
    );
    for (const push of pushes) {
      push.catch((error: unknown) => failed.abort(error));
    }
    const settled = await Promise.allSettled(pushes);
    either.throwIfAborted();
    const layers = settled.flatMap((push) => (push.status === 'fulfilled' ? [push.value] : []));
    const images: PushedManifest[] = [];
    for (const manifest of chosen.manifests) {
      images.push(await putManifest(manifest, chosen, options));
    }
    return { layers, images };
  } finally {
    progress.end();
  }
}

async function pushBlob(blob: Blob, options: PushImagesOptions, signal: AbortSignal): Promise<PushedBlob> {
  const { uploader, destination, progress } = options;
  const { digest, size, source } = blob;
  const onProgress = progress.begin(digest.slice(7, 19), size);
  const startedMs = performance.now();
  const pushing = uploader.pushLayer({
    ...destination,
    source,
    layerDigest: digest,
    layerSize: size,
    onProgress,
    signal,
  });
  const { outcome, requests } = await pushing.catch((error: unknown) => {
    throw damageOf(blob, error) ?? error;
  });
  if (outcome === 'alreadyThere') {
    onProgress(size);
  }
  return { digest, size, outcome, requests, seconds: (performance.now() - startedMs) / 1_000 };
}

/** The failures that are the source's fault, and will be the next time as well. */
function damageOf({ digest, file }: Blob, failure: unknown): SourceProblem | undefined {
  if (!(failure instanceof LayerProblem)) {
    return undefined;
  }
  if (failure.code !== 'DigestMismatch' && failure.code !== 'SizeMismatch') {
    return undefined;
  }
  return new SourceProblem(`${shown(file ?? digest)} in the source is damaged: ${failure.message}`, failure);
}

/** Once by its digest alone, or once for each of its tags. */
async function putManifest(
  { digest, mediaType, text }: Manifest,
  { tags: tagsOf, origins }: Chosen,
  { uploader, destination, signal }: PushImagesOptions,
): Promise<PushedManifest> {
  const members = {
    ...destination,
    imageManifest: text,
    imageManifestMediaType: mediaType,
    imageDigest: digest,
  };
  const tags = [...(tagsOf.get(digest) ?? [])];
  const outcomes: Outcome[] = [];
  for (const imageTag of tags.length > 0 ? tags : [undefined]) {
    outcomes.push((await uploader.putImage({ ...members, imageTag }, signal)).outcome);
  }
  const outcome = outcomes.includes('pushed') ? 'pushed' : 'alreadyThere';
  return { ...(origins.get(digest) ?? { names: [] }), digest, mediaType, tags, outcome };
}

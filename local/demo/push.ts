// Pushes a built image through the proxy: its blobs side by side, its manifest last.

import { createReadStream } from 'node:fs';
import { ProxyClient } from '../../client/proxy-client.ts';
import type { Progress } from '../../client/push/progress.ts';
import { Uploader } from '../../client/uploader.ts';
import type { Blob, Image } from './image.ts';

export type PushOptions = {
  proxyUrl: string;
  token: string;
  repositoryName: string;
  imageTag: string;
  progress: Progress;
  signal?: AbortSignal | undefined;
};

/** What one blob, or the manifest, took. */
export type Row = { name: string; bytes: number; requests: number; seconds: number };

/** @throws LayerProblem, ProxyProblem or the signal's reason; then no blob is under way any more */
export async function pushImage(image: Image, options: PushOptions): Promise<Row[]> {
  const { proxyUrl, token, repositoryName, imageTag, progress } = options;
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(options.signal ? [options.signal] : [])]);
  const uploader = new Uploader(new ProxyClient({ endpoint: proxyUrl, token, signal }));

  const pushBlob = async ({ name, path, digest, size }: Blob): Promise<Row> => {
    const onProgress = progress.begin(name, size);
    const source = (fromByte: number) => createReadStream(path, { start: fromByte });
    const { value, seconds } = await timed(
      uploader.pushLayer({ repositoryName, source, layerDigest: digest, onProgress }),
    );
    return { name, bytes: size, requests: value.requests, seconds };
  };

  try {
    const pushes = [...image.layers, image.config].map(pushBlob);
    for (const push of pushes) {
      push.catch((error: unknown) => failed.abort(error));
    }
    const settled = await Promise.allSettled(pushes);
    failed.signal.throwIfAborted();
    const { manifest: imageManifest, mediaType: imageManifestMediaType, digest: imageDigest } = image;
    const members = { repositoryName, imageManifest, imageManifestMediaType, imageTag, imageDigest };
    const { value, seconds } = await timed(uploader.putImage(members));
    const manifest = {
      name: 'manifest',
      bytes: Buffer.byteLength(imageManifest),
      requests: value.requests,
      seconds,
    };
    return [...settled.flatMap((row) => (row.status === 'fulfilled' ? [row.value] : [])), manifest];
  } finally {
    progress.end();
  }
}

async function timed<Value>(work: Promise<Value>): Promise<{ value: Value; seconds: number }> {
  const started = performance.now();
  const value = await work;
  return { value, seconds: (performance.now() - started) / 1_000 };
}

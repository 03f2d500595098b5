// Pushes layers and images through the proxy: only what is missing, with every request retried and resumed.

import { createHash } from 'node:crypto';
import type { Members } from '../lambda/operations.ts';
import { LayerProblem } from './layer-problem.ts';
import { LayerReader, type LayerSource } from './layer-reader.ts';
import { type Destination, type Send, type UploadedLayer, uploadLayer } from './layer-upload.ts';
import { isProblem } from './problem.ts';
import type { ProxyClient } from './proxy-client.ts';
import { defaultRetryPolicy, pauseFor, type RetryPolicy, retrying, waitMsAfter } from './retry.ts';

export type LayerPush = Destination & {
  source: LayerSource;
  /** Where it is known beforehand: a layer that is there is not sent, and one that differs is not completed. */
  layerDigest?: string | undefined;
  /** Called with the bytes the proxy holds; they become fewer where it lost some. */
  onProgress?: (acknowledgedBytes: number) => void;
  /** A read of the source that hangs is not interrupted; everything else is. */
  signal?: AbortSignal | undefined;
};

/** `bytes` is 0 where nothing had to be sent; `requests` counts every attempt. */
export type PushedLayer = UploadedLayer & { requests: number };

export type PushedImage = { imageDigest: string; outcome: 'pushed' | 'alreadyThere'; requests: number };

export class Uploader {
  readonly #client: ProxyClient;
  readonly #retry: RetryPolicy;

  constructor(client: ProxyClient, { retry = {} }: { retry?: Partial<RetryPolicy> } = {}) {
    this.#client = client;
    this.#retry = { ...defaultRetryPolicy, ...retry };
  }

  /**
   * Pushes one layer of any length. At most two parts of it are kept in memory. The source is let go of at the
   * end, also of a failure; it is not touched where the layer is there already.
   * @throws LayerProblem when the layer cannot be pushed from this source; ProxyProblem when the proxy refuses
   * or stays silent; the signal's reason; what the source throws
   */
  async pushLayer({
    source,
    layerDigest,
    onProgress,
    signal,
    ...destination
  }: LayerPush): Promise<PushedLayer> {
    const { send, requests, pause } = this.#sender(signal);
    if (layerDigest !== undefined && (await isThere(send, destination, layerDigest)))
      return { layerDigest, bytes: 0, outcome: 'alreadyThere', requests: requests() };
    const reader = new LayerReader(source);
    try {
      if (!(await reader.hasMore()))
        throw new LayerProblem('EmptyLayer', 'the layer has no bytes, and ECR takes no layer without any');
      const uploaded = await uploadLayer({
        send,
        reader,
        destination,
        layerDigest,
        onProgress: onProgress ?? (() => {}),
        beforeResuming: async (problem, count) =>
          count > 1 ? pause(waitMsAfter(problem, count, this.#retry)) : undefined,
      });
      return { ...uploaded, requests: requests() };
    } finally {
      await reader.close();
    }
  }

  /**
   * Puts one image: a manifest or an index whose layers and images are there. The same one a second time is
   * no failure.
   * @throws ProxyProblem; the signal's reason
   */
  async putImage(members: Members<'PutImage'>, signal?: AbortSignal): Promise<PushedImage> {
    const { send, requests } = this.#sender(signal);
    const imageDigest = `sha256:${createHash('sha256').update(members.imageManifest).digest('hex')}`;
    try {
      const { image } = await send('PutImage', members);
      return {
        imageDigest: image.imageId.imageDigest ?? imageDigest,
        outcome: 'pushed',
        requests: requests(),
      };
    } catch (thrown) {
      if (!isProblem(thrown, 'ImageAlreadyExistsException')) throw thrown;
      return { imageDigest, outcome: 'alreadyThere', requests: requests() };
    }
  }

  #sender(signal: AbortSignal | undefined) {
    const signals = [this.#client.signal, signal].filter((one) => one !== undefined);
    const either = signals.length > 1 ? AbortSignal.any(signals) : signals[0];
    let requests = 0;
    const send: Send = (operation, members) =>
      retrying(
        () => {
          requests += 1;
          return this.#client.send(operation, members, { signal });
        },
        this.#retry,
        either,
      );
    const pause = (waitMs: number) => pauseFor(waitMs, either);
    return { send, pause, requests: () => requests };
  }
}

async function isThere(send: Send, destination: Destination, layerDigest: string): Promise<boolean> {
  const members = { ...destination, layerDigests: [layerDigest] };
  const { layers } = await send('BatchCheckLayerAvailability', members);
  return layers.some((layer) => layer.layerDigest === layerDigest && layer.layerAvailability === 'AVAILABLE');
}

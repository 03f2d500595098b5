// Pushes layers and images through the proxy: only what is missing, with every request retried and resumed.

import { sha256Of } from '../api/digest.ts';
import type { Members, OperationName, Output } from '../api/operations.ts';
import { AdaptiveLimiter } from './adaptive-limiter.ts';
import { LayerProblem } from './layer-problem.ts';
import { LayerReader, type LayerSource } from './layer-reader.ts';
import { type Destination, type Send, type UploadedLayer, uploadLayer } from './layer-upload.ts';
import { PartBuffers } from './part-buffers.ts';
import { isProblem } from './problem.ts';
import type { ProxyClient } from './proxy-client.ts';
import { defaultRetryPolicy, pauseFor, type RetryPolicy, retrying, waitMsAfter } from './retry.ts';

export type LayerPush = Destination & {
  source: LayerSource;
  /** Where it is known beforehand: a layer that is there is not sent, and one that differs is not completed. */
  layerDigest?: string | undefined;
  /** Its size in bytes, where that is known beforehand too: a layer that is there with another is not taken for it. */
  layerSize?: number | undefined;
  /**
   * Asked once the source has ended, for a digest that is known only then. A layer that has another is not
   * completed. By default `layerDigest`.
   */
  expectedDigest?: (() => string | undefined) | undefined;
  /** The proxy has accepted the upload; no byte of the source has been read before. */
  onBegun?: () => void;
  /** Called with the number of bytes that the proxy has; it falls where the proxy lost some. */
  onProgress?: (acknowledgedBytes: number) => void;
  /** Interrupts everything but a read of the source that hangs. */
  signal?: AbortSignal | undefined;
};

/** `bytes` is 0 where nothing had to be sent; `requests` counts every attempt. */
export type PushedLayer = UploadedLayer & { requests: number };

export type PushedImage = { imageDigest: string; outcome: 'pushed' | 'alreadyThere'; requests: number };

export type UploaderOptions = {
  retry?: Partial<RetryPolicy>;
  /** Handed in by those who push through one proxy with several uploaders. */
  limiter?: AdaptiveLimiter;
  buffers?: PartBuffers;
};

/** What of a client an uploader needs. */
export type UploadingClient = Pick<ProxyClient, 'send' | 'signal'>;

export class Uploader {
  readonly #client: UploadingClient;
  readonly #retry: RetryPolicy;
  readonly #limiter: AdaptiveLimiter;
  readonly #buffers: PartBuffers;

  constructor(client: UploadingClient, { retry = {}, limiter, buffers }: UploaderOptions = {}) {
    this.#client = client;
    this.#retry = { ...defaultRetryPolicy, ...retry };
    this.#limiter = limiter ?? new AdaptiveLimiter();
    this.#buffers = buffers ?? new PartBuffers();
  }

  /**
   * Pushes one layer of any length. At most two parts of it are kept in memory. The source is closed at the
   * end, also after a failure; it is not opened where the layer is there already.
   * @throws LayerProblem when the layer cannot be pushed from this source; ProxyProblem when the proxy refuses
   * or stays silent; the signal's reason; what the source throws
   */
  async pushLayer({
    source,
    layerDigest,
    layerSize,
    expectedDigest = () => layerDigest,
    onBegun = () => {},
    onProgress = () => {},
    signal,
    ...destination
  }: LayerPush): Promise<PushedLayer> {
    const { send, requests, pause } = this.#sender(signal);
    const found = layerDigest === undefined ? undefined : await findLayer(send, destination, layerDigest);
    if (found) {
      refuseOtherSize(found, layerSize);
      return { layerDigest: found.layerDigest, bytes: 0, outcome: 'alreadyThere', requests: requests() };
    }
    const reader = new LayerReader(source, this.#buffers);
    try {
      const uploaded = await uploadLayer({
        send,
        reader,
        destination,
        expectedDigest,
        onBegun,
        onProgress,
        beforeResuming: async (problem, count) =>
          count > 1 ? pause(waitMsAfter(problem, count, this.#retry)) : undefined,
      });
      return { ...uploaded, requests: requests() };
    } finally {
      await reader.close();
    }
  }

  /**
   * The layer where it is in this repository, ready to be named by a manifest.
   * @throws ProxyProblem; the signal's reason
   */
  async findLayer(
    { layerDigest, ...destination }: Destination & { layerDigest: string },
    signal?: AbortSignal,
  ): Promise<{ layerSize?: number | undefined } | undefined> {
    return findLayer(this.#sender(signal).send, destination, layerDigest);
  }

  /**
   * Puts one image: a manifest or an index whose layers and images are there. The same one a second time is
   * no failure.
   * @throws ProxyProblem; the signal's reason
   */
  async putImage(members: Members<'PutImage'>, signal?: AbortSignal): Promise<PushedImage> {
    const { send, requests } = this.#sender(signal);
    const imageDigest = sha256Of(members.imageManifest);
    try {
      const { image } = await send('PutImage', members);
      return {
        imageDigest: image.imageId.imageDigest ?? imageDigest,
        outcome: 'pushed',
        requests: requests(),
      };
    } catch (error) {
      if (!isProblem(error, 'ImageAlreadyExistsException')) {
        throw error;
      }
      return { imageDigest, outcome: 'alreadyThere', requests: requests() };
    }
  }

  /**
   * One operation, sent as all requests of this uploader are: at their pace, and again where that helps.
   * @throws ProxyProblem; the signal's reason
   */
  send<Name extends OperationName>(
    operation: Name,
    members: Members<Name>,
    signal?: AbortSignal,
  ): Promise<Output<Name>> {
    return this.#sender(signal).send(operation, members);
  }

  #sender(signal: AbortSignal | undefined) {
    const either = AbortSignal.any([this.#client.signal, signal].filter((one) => one !== undefined));
    let requests = 0;
    const send: Send = (operation, members) =>
      retrying(
        () => {
          requests += 1;
          return this.#limiter.run(() => this.#client.send(operation, members, { signal }), either);
        },
        this.#retry,
        either,
      );
    const pause = (waitMs: number) => pauseFor(waitMs, either);
    return { send, pause, requests: () => requests };
  }
}

/** The layer where ECR has it in this repository, ready to be named by a manifest. */
async function findLayer(send: Send, destination: Destination, layerDigest: string) {
  const members = { ...destination, layerDigests: [layerDigest] };
  const { layers } = await send('BatchCheckLayerAvailability', members);
  return layers.find((layer) => layer.layerDigest === layerDigest && layer.layerAvailability === 'AVAILABLE');
}

function refuseOtherSize(
  { layerDigest, layerSize }: { layerDigest: string; layerSize?: number | undefined },
  expected: number | undefined,
): void {
  if (expected === undefined || layerSize === undefined || layerSize === expected) {
    return;
  }
  throw new LayerProblem('SizeMismatch', `ECR has ${layerDigest} with ${layerSize} bytes, not ${expected}`);
}

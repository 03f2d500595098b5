// One try at a layer: what requests bring of it goes through the uploader, from its first byte on.

import type { Destination } from '../layer-upload.ts';
import type { Uploader } from '../uploader.ts';
import { ChunkStream, ReaderGone } from './chunk-stream.ts';

export class LayerRun {
  readonly #chunks = new ChunkStream();
  readonly #layer: Promise<unknown>;
  readonly #interruption = new AbortController();
  /** The proxy lets this client push here. */
  readonly begun: Promise<void>;
  #position = 0;
  #digest: string | undefined;
  #hasFailed = false;

  constructor(uploader: Uploader, destination: Destination) {
    let onBegun = () => {};
    const beginning = new Promise<void>((resolve) => {
      onBegun = resolve;
    });
    this.#layer = uploader.pushLayer({
      ...destination,
      source: this.#chunks,
      expectedDigest: () => this.#digest,
      onBegun: () => onBegun(),
      signal: this.#interruption.signal,
    });
    this.begun = Promise.race([beginning, this.#layer.then(() => {})]);
    // The next request with bytes gets the reason; there may be none.
    this.begun.catch(() => {});
    this.#layer.catch(() => {
      this.#hasFailed = true;
    });
  }

  /** How many bytes were taken. */
  get position(): number {
    return this.#position;
  }

  /** No more bytes are taken. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Resolves when the uploader has the chunk, as fast as the proxy is. @throws what ended the run */
  async take(chunk: Uint8Array): Promise<void> {
    try {
      await this.#chunks.give(chunk);
    } catch (error) {
      if (error instanceof ReaderGone) {
        await this.#layer;
      }
      throw error;
    }
    this.#position += chunk.length;
  }

  /** @throws LayerProblem DigestMismatch; what ended the run */
  async finish(digest: string): Promise<void> {
    this.#digest = digest;
    this.#chunks.end();
    await this.#layer;
  }

  /** ECR forgets in time what it has of it. */
  cancel(reason: Error): void {
    this.#chunks.fail(reason);
    this.#interruption.abort(reason);
  }
}

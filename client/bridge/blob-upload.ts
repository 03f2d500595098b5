// One upload as an OCI client sees it: bytes that arrive by one request or by many, and a digest at the end.

import { randomUUID } from 'node:crypto';
import { OciError } from '../../registry/front/oci-errors.ts';
import type { Destination } from '../layer-upload.ts';
import type { PushedLayer } from '../uploader.ts';
import { HandOff, ReaderGone } from './hand-off.ts';
import type { Identity } from './identities.ts';

type Bytes = AsyncIterable<Uint8Array>;

/** A blob up to this length is kept while it passes, for clients that read back a config they have pushed. */
export const maxKeptBlobBytes = 65_536;

export class BlobUpload {
  readonly id = randomUUID();
  readonly identity: Identity;
  readonly destination: Destination;
  readonly #bytes = new HandOff();
  readonly #layer: Promise<PushedLayer>;
  readonly #begun: Promise<void>;
  readonly #interruption = new AbortController();
  #position = 0;
  #digest: string | undefined;
  #kept: Uint8Array[] = [];
  #busy = false;
  #failed = false;
  #usedAtMs = performance.now();

  private constructor(identity: Identity, destination: Destination) {
    this.identity = identity;
    this.destination = destination;
    let begun = () => {};
    const beginning = new Promise<void>((resolve) => {
      begun = resolve;
    });
    this.#layer = identity.uploader.pushLayer({
      ...destination,
      source: this.#bytes,
      expectedDigest: () => this.#digest,
      onBegun: () => begun(),
      signal: this.#interruption.signal,
    });
    this.#begun = Promise.race([beginning, this.#layer.then(() => {})]);
    // Whoever brings bytes next is told why; it may be that nobody does.
    this.#begun.catch(() => {});
    this.#layer.catch(() => {
      this.#failed = true;
    });
  }

  /**
   * Begins an upload at the proxy, so that a client that may not push learns it before it sends a byte.
   * @throws ProxyProblem
   */
  static async begin(identity: Identity, destination: Destination): Promise<BlobUpload> {
    const upload = new BlobUpload(identity, destination);
    await upload.#begun;
    return upload;
  }

  /** How many bytes have arrived. */
  get position(): number {
    return this.#position;
  }

  /** The push has failed: no more bytes are accepted. */
  get failed(): boolean {
    return this.#failed;
  }

  /** For how long no request has come; 0 while one is under way. */
  get idleMs(): number {
    return this.#busy ? 0 : performance.now() - this.#usedAtMs;
  }

  /** The whole blob, where it is small. */
  get kept(): Uint8Array | undefined {
    return this.#position <= maxKeptBlobBytes ? Buffer.concat(this.#kept) : undefined;
  }

  /**
   * Takes a request's bytes, as fast as the proxy does. What has arrived counts, also when the client then
   * breaks off.
   * @throws OciError RANGE_INVALID when another request is under way; what ended the upload; what `body` throws
   */
  async append(body: Bytes): Promise<void> {
    await this.#alone(async () => {
      for await (const chunk of body) {
        await this.#bytes.give(chunk).catch((error) => this.#explain(error));
        this.#position += chunk.length;
        this.#keep(chunk);
      }
    });
  }

  /**
   * Ends the upload with what has arrived.
   * @throws LayerProblem DigestMismatch; what ended the upload
   */
  async finish(digest: string): Promise<PushedLayer> {
    return this.#alone(() => {
      this.#digest = digest;
      this.#bytes.end();
      return this.#layer;
    });
  }

  /** Gives the upload up. ECR forgets what it has of it in time. */
  cancel(reason = 'the client cancelled this upload'): void {
    this.#bytes.fail(new OciError('BLOB_UPLOAD_UNKNOWN', reason));
    this.#interruption.abort(new OciError('BLOB_UPLOAD_UNKNOWN', reason));
  }

  async #alone<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#busy) {
      throw new OciError('RANGE_INVALID', 'another request of this upload is under way');
    }
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
      this.#usedAtMs = performance.now();
    }
  }

  /** Why nobody takes the bytes: because the push has failed. */
  async #explain(thrown: unknown): Promise<void> {
    if (thrown instanceof ReaderGone) {
      await this.#layer;
    }
    throw thrown;
  }

  #keep(chunk: Uint8Array): void {
    if (this.#position <= maxKeptBlobBytes) {
      this.#kept.push(Uint8Array.from(chunk));
    } else {
      this.#kept = [];
    }
  }
}

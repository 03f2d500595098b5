// The uploads under way, each its client's own; those that nobody goes on with are given up.

import { OciError } from '../../registry/front/oci-errors.ts';
import type { Destination } from '../layer-upload.ts';
import { BlobUpload } from './blob-upload.ts';
import type { Identity } from './identities.ts';

/** Each may hold two parts in memory. */
const maxUploads = 128;
const maxIdleMs = 3_600_000;
const sweepEveryMs = 60_000;

export class BlobUploads {
  readonly #uploads = new Map<string, BlobUpload>();
  readonly #sweeping = setInterval(() => this.#sweep(), sweepEveryMs).unref();

  /** @throws ProxyProblem; OciError TOOMANYREQUESTS */
  async begin(identity: Identity, destination: Destination): Promise<BlobUpload> {
    if (this.#uploads.size >= maxUploads) {
      throw new OciError(
        'TOOMANYREQUESTS',
        `${maxUploads} uploads are under way here: finish or cancel some`,
      );
    }
    const upload = await BlobUpload.begin(identity, destination);
    this.#uploads.set(upload.id, upload);
    return upload;
  }

  /** @throws OciError BLOB_UPLOAD_UNKNOWN where this client has no such upload in this repository */
  find(identity: Identity, { repositoryName }: Destination, id: string): BlobUpload {
    const upload = this.#uploads.get(id);
    if (
      upload &&
      upload.identity.key === identity.key &&
      upload.destination.repositoryName === repositoryName
    ) {
      return upload;
    }
    throw new OciError('BLOB_UPLOAD_UNKNOWN', 'there is no such upload: begin it anew');
  }

  remove(upload: BlobUpload): void {
    this.#uploads.delete(upload.id);
  }

  close(): void {
    clearInterval(this.#sweeping);
    for (const upload of this.#uploads.values()) {
      upload.cancel('the bridge was stopped: push again');
    }
    this.#uploads.clear();
  }

  #sweep(): void {
    for (const upload of this.#uploads.values()) {
      if (upload.idleMs < maxIdleMs) {
        continue;
      }
      upload.cancel('nobody went on with this upload');
      this.remove(upload);
    }
  }
}

// Sends the parts of one body to ECR, in order, one at a time, while the next one is gathered.

import type { LimitFunction } from 'p-limit';
import { minEcrPartBytes } from '../../api/limits.ts';
import type { CallOptions, Calls } from './calls.ts';
import type { PartBuffers } from './part-buffers.ts';
import type { UploadPlace } from './upload-place.ts';

export type SenderOptions = {
  readonly calls: Pick<Calls, 'send'>;
  readonly call: CallOptions;
  readonly repositoryName: string;
  readonly buffers: PartBuffers;
  /** Parts that are on their way at the same time, of all uploads of the process. */
  readonly sends: LimitFunction;
};

/**
 * A part on its way is in memory twice, as it came and as the body of its request: with more at once a server has more
 * in memory and is not faster, for these fill its network.
 */
export const maxSends = 4;

export class PartSender {
  readonly #options: SenderOptions;
  #place: UploadPlace;
  #underWay: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  /** @param place where the body goes on */
  constructor(place: UploadPlace, options: SenderOptions) {
    this.#place = place;
    this.#options = options;
  }

  /** Where the upload is, as far as ECR has answered. */
  get place(): UploadPlace {
    return this.#place;
  }

  /** Begins an upload at ECR where there is none. A failure is reported with the first part. */
  begin(): void {
    if (this.#place.uploadId === undefined) {
      this.#underWay = this.#following(() => this.#initiate());
    }
  }

  /**
   * Takes a part as soon as the one before is at ECR.
   *
   * @throws what became of those before
   */
  async send(part: Buffer): Promise<void> {
    await this.settle();
    this.#underWay = this.#following(() => this.#upload(part));
  }

  /** @throws what became of the parts so far */
  async settle(): Promise<void> {
    await this.#underWay;
    this.assertGoing();
  }

  /** @throws what has failed, without waiting */
  assertGoing(): void {
    if (this.#failure) {
      throw this.#failure.error;
    }
  }

  async #following(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#failure = { error };
    }
  }

  async #initiate(): Promise<void> {
    const { calls, call, repositoryName } = this.#options;
    const { uploadId } = await calls.send('InitiateLayerUpload', { repositoryName }, call);
    this.#place = { uploadId, position: 0, endsSmall: false };
  }

  async #upload(part: Buffer): Promise<void> {
    const { calls, call, repositoryName, buffers, sends } = this.#options;
    const { uploadId, position } = this.#place;
    if (uploadId === undefined) {
      throw new Error('the upload was not begun');
    }
    const end = position + part.length;
    const positions = { partFirstByte: position, partLastByte: end - 1 };
    const members = { repositoryName, uploadId, ...positions, layerPartBlob: part };
    await sends(() => calls.send('UploadLayerPart', members, call));
    this.#place = { uploadId, position: end, endsSmall: part.length < minEcrPartBytes };
    buffers.giveBack(part);
  }
}

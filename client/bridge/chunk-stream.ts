// Joins a blob's bytes from the requests that bring them into the one stream that the uploader reads.

/** The reader has let go of the blob and takes no more chunks. */
export class ReaderGone extends Error {
  override readonly name = 'ReaderGone';
}

type Offer = { chunk: Uint8Array; isRead: boolean; taken: () => void; refuse: (reason: Error) => void };
type Reading = {
  give: (result: IteratorResult<Uint8Array, undefined>) => void;
  fail: (reason: unknown) => void;
};

/**
 * Read once. A chunk counts as taken when the reader comes back for the next one: that is what holds a client back
 * that is faster than the proxy.
 */
export class ChunkStream implements AsyncIterableIterator<Uint8Array, undefined> {
  #offered: Offer | undefined;
  #reading: Reading | undefined;
  #state: 'open' | 'ended' | 'gone' | { failed: unknown } = 'open';

  /** @throws ReaderGone */
  async give(chunk: Uint8Array): Promise<void> {
    if (this.#state !== 'open') {
      throw new ReaderGone('nobody reads this blob any more');
    }
    await new Promise<void>((taken, refuse) => {
      this.#offered = { chunk, isRead: this.#reading !== undefined, taken, refuse };
      this.#reading?.give({ done: false, value: chunk });
      this.#reading = undefined;
    });
  }

  /** No more chunks come. */
  end(): void {
    this.#state = 'ended';
    this.#reading?.give({ done: true, value: undefined });
  }

  /** The reader gets `reason` instead of a chunk. */
  fail(reason: unknown): void {
    this.#state = { failed: reason };
    this.#refuse('the blob was abandoned');
    this.#reading?.fail(reason);
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#offered?.isRead === false) {
      this.#offered.isRead = true;
      return { done: false, value: this.#offered.chunk };
    }
    this.#offered?.taken();
    this.#offered = undefined;
    if (typeof this.#state === 'object') {
      throw this.#state.failed;
    }
    if (this.#state !== 'open') {
      return { done: true, value: undefined };
    }
    return new Promise((give, fail) => {
      this.#reading = { give, fail };
    });
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#state === 'open') {
      this.#state = 'gone';
    }
    this.#refuse('nobody reads this blob any more');
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #refuse(why: string): void {
    this.#offered?.refuse(new ReaderGone(why));
    this.#offered = undefined;
  }
}

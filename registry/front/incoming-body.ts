// The body of a request: read once and as fast as its reader asks, under a clock, and drained when it is refused.

import type { IncomingMessage } from 'node:http';
import type { Bounds } from './bounds.ts';
import { OciError } from './oci-errors.ts';

/** The connection ended before the request did: nobody waits for an answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

type Waiting = {
  give: (result: IteratorResult<Uint8Array, undefined>) => void;
  fail: (reason: Error) => void;
};
type BodyBounds = Pick<Bounds, 'idleMs' | 'drainedBytes' | 'drainMs'>;

/**
 * Not Node.js's own iterator of a stream: that one cannot be left while it waits, and a body that is refused has to
 * be read on.
 */
export class IncomingBody implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #request: IncomingMessage;
  readonly #bounds: BodyBounds;
  readonly #onFirstRead: () => void;
  #isListening = false;
  #arrived: Uint8Array[] = [];
  #waiting: Waiting | undefined;
  #clock: NodeJS.Timeout | undefined;
  #end: 'open' | 'whole' | Error = 'open';
  /** How many bytes are still thrown away; undefined while somebody reads. */
  #drainedBytes: number | undefined;

  /** @param onFirstRead called before the body is asked for: `100 Continue` */
  constructor(request: IncomingMessage, bounds: BodyBounds, onFirstRead: () => void) {
    this.#request = request;
    this.#bounds = bounds;
    this.#onFirstRead = onFirstRead;
  }

  /** @throws ClientGone; OciError when the client has stopped sending */
  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.#isListening) {
      this.#onFirstRead();
      this.#listen();
    }
    const chunk = this.#arrived.shift();
    if (chunk) {
      return { done: false, value: chunk };
    }
    if (this.#end instanceof Error) {
      throw this.#end;
    }
    if (this.#end === 'whole') {
      return { done: true, value: undefined };
    }
    const { idleMs } = this.#bounds;
    return new Promise((give, fail) => {
      this.#waiting = { give, fail };
      this.#clock = setTimeout(() => this.#finish(stalled(idleMs)), idleMs);
      this.#request.resume();
    });
  }

  /** The rest stays on the connection, for {@link drain}. */
  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /**
   * Reads what is left and throws it away; what is too long, or comes too slowly, ends with the connection. To be
   * called before the answer is written: Node.js reads on without an end what nobody has asked for.
   *
   * @returns when it is over; undefined where nothing is left
   */
  drain(): Promise<void> | undefined {
    const request = this.#request;
    if (request.readableEnded || request.destroyed) {
      return undefined;
    }
    const { drainedBytes, drainMs } = this.#bounds;
    this.#drainedBytes = drainedBytes;
    this.#arrived = [];
    // Whoever waited for the next chunk has gone on without it.
    this.#stopWaiting();
    if (request.complete) {
      request.resume();
      return undefined;
    }
    this.#listen();
    const clock = setTimeout(() => request.destroy(), drainMs);
    const over = new Promise<void>((resolve) => {
      request.on('end', resolve).on('close', resolve);
    });
    request.on('close', () => clearTimeout(clock)).resume();
    return over;
  }

  #listen(): void {
    if (this.#isListening) {
      return;
    }
    this.#isListening = true;
    const gone = () => this.#finish(new ClientGone('the client has gone away'));
    this.#request
      .on('data', (chunk: Uint8Array) => this.#take(chunk))
      .on('end', () => this.#finish('whole'))
      .on('error', gone)
      .on('close', gone);
    // Of a connection that has ended by now nothing more is heard.
    if (this.#request.destroyed) {
      gone();
    }
  }

  #take(chunk: Uint8Array): void {
    if (this.#drainedBytes !== undefined) {
      this.#drainedBytes -= chunk.length;
      if (this.#drainedBytes < 0) {
        this.#request.destroy();
      }
      return;
    }
    this.#request.pause();
    const waiting = this.#stopWaiting();
    if (waiting) {
      waiting.give({ done: false, value: chunk });
    } else {
      this.#arrived.push(chunk);
    }
  }

  /** Whichever end comes first is the end. */
  #finish(end: 'whole' | Error): void {
    if (this.#end !== 'open') {
      return;
    }
    this.#end = end;
    const waiting = this.#stopWaiting();
    if (end === 'whole') {
      waiting?.give({ done: true, value: undefined });
    } else {
      waiting?.fail(end);
    }
  }

  #stopWaiting(): Waiting | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    clearTimeout(this.#clock);
    return waiting;
  }
}

const stalled = (idleMs: number): OciError =>
  new OciError('BLOB_UPLOAD_INVALID', `no byte of the body came for ${idleMs / 1_000} s: send it again`, {
    status: 408,
  });

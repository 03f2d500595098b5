// One upload as an OCI client sees it: requests that come one after the other, and the try at the layer they make.

import { type IncomingBytes, PortError } from '../../registry/port.ts';
import type { LayerRun } from './layer-run.ts';
import { referenceText } from './upload-reference.ts';

export class UploadSession {
  readonly #id: string;
  readonly #newRun: () => LayerRun;
  #run: LayerRun | undefined;
  /** The request at work, which gives way to the next: its client has given it up. */
  #request: AbortController | undefined;
  #lastRequest: Promise<unknown> = Promise.resolve();
  #usedAtMs = performance.now();

  constructor(id: string, newRun: () => LayerRun) {
    this.#id = id;
    this.#newRun = newRun;
  }

  /** Begins at the proxy, so that a client that may not push learns it before it sends a byte. @throws ProxyProblem */
  begin(): Promise<void> {
    return this.#alone(async () => {
      this.#run = this.#newRun();
      await this.#run.begun;
    });
  }

  get state() {
    const position = this.#run?.position ?? 0;
    return { reference: referenceText({ id: this.#id, position }), position };
  }

  /** It cannot be continued, only started again from its first byte. */
  get isOver(): boolean {
    return this.#request === undefined && !this.#takesBytes;
  }

  get #takesBytes(): boolean {
    return this.#run !== undefined && !this.#run.hasFailed;
  }

  /** For how long no request has come; 0 while one is under way. */
  get idleMs(): number {
    return this.#request ? 0 : performance.now() - this.#usedAtMs;
  }

  /**
   * Takes a request's bytes, as fast as the proxy does. What has arrived counts, also when the client then breaks off.
   * @param from the position that the reference has
   * @throws PortError where the bytes are not the next ones; what ended the run; what the chunks throw
   */
  append(from: number, incoming: IncomingBytes): Promise<void> {
    return this.#alone((signal) => this.#receive(from, incoming, signal));
  }

  /** Takes the last bytes, and ends the upload. @throws LayerProblem DigestMismatch, and as {@link append} does */
  finish(from: number, incoming: IncomingBytes, digest: string): Promise<void> {
    return this.#alone(async (signal) => {
      await this.#receive(from, incoming, signal);
      if (!this.#run) {
        throw unknownUpload();
      }
      await this.#run.finish(digest);
      this.#run = undefined;
    });
  }

  cancel(reason: Error): void {
    this.#request?.abort(reason);
    this.#run?.cancel(reason);
  }

  async #receive(from: number, { first, chunks }: IncomingBytes, signal: AbortSignal): Promise<void> {
    const position = this.#takesBytes ? this.state.position : 0;
    if (first === undefined ? from > position : first !== position) {
      throw this.#goOnElsewhere(first ?? from);
    }
    // Without a Content-Range the Location says where a body belongs: from byte 0 it is the whole layer; behind that
    // it may begin with what is here already, for the answer that said so was lost.
    const isWhole = first === undefined && from === 0;
    let passedOver = isWhole ? 0 : position - (first ?? from);
    let run = isWhole || position === 0 ? undefined : this.#run;
    for await (const chunk of untilAborted(chunks, signal)) {
      run ??= this.#runFromStart();
      const known = Math.min(passedOver, chunk.length);
      passedOver -= known;
      if (known < chunk.length) {
        await run.take(chunk.subarray(known));
      }
    }
  }

  /** The one that has begun and waits for its first byte; or another, for clients send a whole body again. */
  #runFromStart(): LayerRun {
    if (this.#run && this.#takesBytes && this.#run.position === 0) {
      return this.#run;
    }
    this.#run?.cancel(new PortError('UploadNotFoundException', 'the client has begun this upload again'));
    this.#run = this.#newRun();
    return this.#run;
  }

  #goOnElsewhere(first: number): PortError {
    if (!this.#takesBytes) {
      return unknownUpload();
    }
    const { state } = this;
    return new PortError(
      'InvalidLayerPartException',
      `the next byte of this upload is ${state.position}, not ${first}`,
      { uploadState: state },
    );
  }

  async #alone<Value>(work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    const { state } = this;
    this.#request?.abort(
      new PortError('InvalidLayerPartException', 'another request continues this upload', {
        uploadState: state,
      }),
    );
    const request = new AbortController();
    this.#request = request;
    const done = this.#lastRequest.then(() => work(request.signal));
    this.#lastRequest = done.catch(() => {});
    try {
      return await done;
    } finally {
      if (this.#request === request) {
        this.#request = undefined;
        this.#usedAtMs = performance.now();
      }
    }
  }
}

export const unknownUpload = (): PortError =>
  new PortError('UploadNotFoundException', 'there is no such upload: begin a new one');

/** Ends with the signal's reason, also while a chunk is waited for. */
async function* untilAborted(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, undefined> {
  const iterator = chunks[Symbol.asyncIterator]();
  let interrupt: (reason: unknown) => void = () => {};
  signal.addEventListener('abort', () => interrupt(signal.reason), { once: true });
  for (;;) {
    signal.throwIfAborted();
    const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
      interrupt = reject;
      iterator.next().then(resolve, reject);
    });
    if (next.done) {
      return undefined;
    }
    yield next.value;
  }
}

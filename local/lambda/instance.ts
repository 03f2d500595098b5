// One instance of a function, as a thread: it takes one event at a time, until it ends.

import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { InstanceData, Invocation, InvocationResult, Reply } from './worker.ts';

/** How long an instance may take to load its code: Lambda's limit is 10 s, and two busy cores are slower. */
const maxLoadMs = 120_000;

export class Instance {
  readonly functionName: string;
  readonly #worker: Worker;
  readonly #onEnd: (reason: string) => void;
  /** Of the invocation under way. */
  #fail: (reason: string) => void = () => {};
  #hasEnded = false;

  /** @param onEnd called with the reason, however it ends */
  constructor(
    workerData: InstanceData,
    env: Readonly<Record<string, string>>,
    onEnd: (reason: string) => void,
  ) {
    this.functionName = workerData.context.functionName;
    this.#onEnd = onEnd;
    this.#worker = new Worker(join(import.meta.dirname, 'worker.ts'), { workerData, env });
    this.#worker.on('error', (error) =>
      this.#end(error instanceof Error ? String(error.stack) : String(error)),
    );
    this.#worker.once('exit', (status) => this.#end(`Runtime exited with status ${status}`));
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /**
   * A function's time begins when its code is loaded and has the event, as in Lambda; with it the instance ends.
   *
   * @param begins called then
   */
  async run(invocation: Invocation, begins: () => void): Promise<InvocationResult> {
    const { timeoutMs } = invocation;
    const { promise, resolve } = Promise.withResolvers<InvocationResult>();
    this.#fail = (failure) => resolve({ failure });
    let timer = this.#endAfter(maxLoadMs, `The code was not loaded within ${maxLoadMs / 1_000} seconds`);
    const take = (reply: Reply) => {
      if (reply !== 'begun') {
        resolve(reply);
        return;
      }
      clearTimeout(timer);
      timer = this.#endAfter(timeoutMs, `Task timed out after ${timeoutMs / 1_000} seconds`);
      begins();
    };
    this.#worker.on('message', take);
    this.#worker.postMessage(invocation);
    const result = await promise;
    clearTimeout(timer);
    this.#worker.off('message', take);
    this.#fail = () => {};
    return result;
  }

  async end(reason = 'The instance was ended'): Promise<void> {
    this.#end(reason);
    await this.#worker.terminate();
  }

  #end(reason: string): void {
    if (!this.#hasEnded) {
      this.#hasEnded = true;
      this.#fail(reason);
      this.#onEnd(reason);
    }
  }

  #endAfter(ms: number, reason: string): NodeJS.Timeout {
    return setTimeout(() => void this.end(reason), ms);
  }
}

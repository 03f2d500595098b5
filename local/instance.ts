// One instance of a function, as a thread: it takes one event at a time, until it ends.

import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { InstanceData, Invocation, InvocationResult, Reply } from './worker.ts';

/** How long an instance may take to load its code: Lambda's limit is 10 s, and two busy cores are slower. */
const maxLoadMs = 120_000;

export class Instance {
  readonly functionName: string;
  readonly #worker: Worker;
  readonly #ended = Promise.withResolvers<string>();
  #hasEnded = false;

  constructor(workerData: InstanceData, env: Readonly<Record<string, string>>) {
    this.functionName = workerData.context.functionName;
    this.#worker = new Worker(join(import.meta.dirname, 'worker.ts'), { workerData, env });
    this.#worker.once('error', (error) =>
      this.#end(error instanceof Error ? String(error.stack) : String(error)),
    );
    this.#worker.once('exit', (status) => this.#end(`Runtime exited with status ${status}`));
  }

  /** Resolves to the reason. */
  get ended(): Promise<string> {
    return this.#ended.promise;
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
    const answered = Promise.withResolvers<InvocationResult>();
    let timer = this.#endAfter(maxLoadMs, `The code was not loaded within ${maxLoadMs / 1_000} seconds`);
    const take = (reply: Reply) => {
      if (reply !== 'begun') {
        answered.resolve(reply);
        return;
      }
      clearTimeout(timer);
      timer = this.#endAfter(timeoutMs, `Task timed out after ${timeoutMs / 1_000} seconds`);
      begins();
    };
    this.#worker.on('message', take);
    this.#worker.postMessage(invocation);
    const failed = this.ended.then((failure) => ({ failure }));
    const result = await Promise.race([answered.promise, failed]);
    clearTimeout(timer);
    this.#worker.off('message', take);
    return result;
  }

  async end(): Promise<void> {
    this.#end('The instance was ended');
    await this.#worker.terminate();
  }

  #end(reason: string): void {
    this.#hasEnded = true;
    this.#ended.resolve(reason);
  }

  #endAfter(ms: number, reason: string): NodeJS.Timeout {
    return setTimeout(() => {
      this.#end(reason);
      void this.#worker.terminate();
    }, ms);
  }
}

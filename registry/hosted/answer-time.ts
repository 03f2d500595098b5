// An answer that clients still wait for: what takes longer goes on, and the client gets 503 and tries again.

import { setTimeout as sleep } from 'node:timers/promises';
import { PortError } from '../port.ts';

/** Of the clients that are known to wait least after a body's last byte, Jib waits 20 s and containerd 30 s. */
export const answerMs = 18_000;

const comeAgain = (goesOn: Promise<void>) =>
  new PortError(
    'ServiceUnavailableException',
    'ECR has not finished yet. Send the same request again: it finds what is done by then.',
    { goesOn },
  );

/** What goes on after its request was answered. */
export class Unanswered {
  readonly #work = new Set<Promise<void>>();

  /**
   * @param onLateFailure gets a failure that no client sees any more
   * @throws what `work` throws; ServiceUnavailableException where it takes longer than `withinMs`
   */
  async inTime<Value>(
    work: Promise<Value>,
    withinMs: number,
    onLateFailure: (error: unknown) => void,
  ): Promise<Value> {
    const clock = new AbortController();
    const isLate = await Promise.race([
      work.then(() => false),
      sleep(withinMs, true, { signal: clock.signal }),
    ]).finally(() => clock.abort());
    if (!isLate) {
      return work;
    }
    const end = work.then(() => {}, onLateFailure).finally(() => this.#work.delete(end));
    this.#work.add(end);
    throw comeAgain(end);
  }

  /** Waits for all of it. */
  async ended(): Promise<void> {
    await Promise.allSettled([...this.#work]);
  }
}

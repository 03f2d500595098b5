// How many requests are under way at once, for all layers together: it grows by one, and halves when told to slow down.

import pLimit, { type LimitFunction } from 'p-limit';
import { ProxyProblem } from './problem.ts';
import { pauseFor } from './retry.ts';

export type LimiterOptions = {
  /** Requests under way at once, to begin with. */
  initialConcurrency?: number;
  maxConcurrency?: number;
};

/** The answers that ask for a slower pace: 429, and 503 with what it says in Retry-After. */
const slowingStatuses: ReadonlySet<number | undefined> = new Set([429, 503]);

/** However long Retry-After is, the other requests wait no longer than this. */
const longestPauseMs = 60_000;

/**
 * Additive increase, multiplicative decrease, as TCP adapts to a network of unknown bandwidth. All uploads through one
 * proxy share one, so that together they settle at the rates that ECR allows.
 */
export class AdaptiveLimiter {
  readonly #limit: LimitFunction;
  readonly #maxConcurrency: number;
  #answersSinceGrowth = 0;
  #pausedUntilMs = 0;
  #slowedAtMs = 0;

  constructor({ initialConcurrency = 8, maxConcurrency = 32 }: LimiterOptions = {}) {
    this.#limit = pLimit(initialConcurrency);
    this.#maxConcurrency = maxConcurrency;
  }

  /** How many requests may be under way now. */
  get concurrency(): number {
    return this.#limit.concurrency;
  }

  /** @throws what `request` throws; the signal's reason when aborted while the others make it wait */
  run<Answer>(request: () => Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
    return this.#limit(async () => {
      await this.#untilResumed(signal);
      const begunAtMs = performance.now();
      try {
        const answer = await request();
        this.#grow();
        return answer;
      } catch (error) {
        if (error instanceof ProxyProblem && error.retryable && slowingStatuses.has(error.status)) {
          this.#slowDown(begunAtMs, error.retryAfterSeconds ?? 0);
        }
        throw error;
      }
    });
  }

  /** One more for each round of answers. */
  #grow(): void {
    this.#answersSinceGrowth += 1;
    if (this.#answersSinceGrowth < this.concurrency || this.concurrency >= this.#maxConcurrency) {
      return;
    }
    this.#answersSinceGrowth = 0;
    this.#limit.concurrency += 1;
  }

  /** A request that was sent before the last halving says nothing of the new pace: it does not halve it again. */
  #slowDown(begunAtMs: number, retryAfterSeconds: number): void {
    const now = performance.now();
    const pauseMs = Math.min(retryAfterSeconds * 1_000, longestPauseMs);
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, now + pauseMs);
    if (begunAtMs < this.#slowedAtMs) {
      return;
    }
    this.#slowedAtMs = now;
    this.#answersSinceGrowth = 0;
    this.#limit.concurrency = Math.max(1, Math.floor(this.concurrency / 2));
  }

  async #untilResumed(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const leftMs = this.#pausedUntilMs - performance.now();
    // A random part, so that not all resume at the same moment.
    if (leftMs > 0) {
      await pauseFor(leftMs * (1 + Math.random() / 4), signal);
    }
  }
}

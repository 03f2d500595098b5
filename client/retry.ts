// Retries a request after temporary failures: full-jitter backoff that honours Retry-After.

import { setTimeout as sleep } from 'node:timers/promises';
import { ProxyProblem } from './problem.ts';

/** Times in milliseconds. */
export type RetryPolicy = {
  /** How often one request is sent at most. */
  attempts: number;
  /** The first wait is between 0 and this; each later one may be twice as long. */
  baseMs: number;
  /** No wait of the backoff's own is longer; what Retry-After asks for is. */
  capMs: number;
  /** After this time, waits included, no further attempt is begun. */
  budgetMs: number;
};

/** Long enough for a restart of the endpoint, and for a minute of throttling. */
export const defaultRetryPolicy: RetryPolicy = {
  attempts: 10,
  baseMs: 250,
  capMs: 20_000,
  budgetMs: 300_000,
};

/**
 * How long to wait after the `attempt`-th failure (1, 2, …): a random time up to the doubled base, on top of
 * what the answer's Retry-After asks for.
 * @see https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
 */
export const waitMsAfter = (
  problem: ProxyProblem,
  attempt: number,
  { baseMs, capMs }: RetryPolicy,
  random: () => number = Math.random,
): number =>
  (problem.retryAfterSeconds ?? 0) * 1_000 + random() * Math.min(capMs, baseMs * 2 ** (attempt - 1));

/**
 * Runs `request` until it succeeds, fails for good, or the policy is used up.
 * @throws what `request` threw last; the signal's reason when aborted, also while waiting
 */
export async function retrying<Answer>(
  request: () => Promise<Answer>,
  policy: RetryPolicy,
  signal?: AbortSignal,
): Promise<Answer> {
  const deadline = performance.now() + policy.budgetMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof ProxyProblem && error.retryable) || attempt >= policy.attempts) {
        throw error;
      }
      const waitMs = waitMsAfter(error, attempt, policy);
      if (performance.now() + waitMs > deadline) {
        throw error;
      }
      await pauseFor(waitMs, signal);
    }
  }
}

/** @throws the signal's reason when aborted */
export async function pauseFor(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(waitMs, undefined, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

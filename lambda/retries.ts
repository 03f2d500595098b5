// How calls to AWS are retried: once after a broken connection, or for longer where the caller cannot retry. Decision 0021.

import type { ECRClientConfig } from '@aws-sdk/client-ecr';
import { errors } from '../api/errors.ts';
import { isSentAgain } from '../api/send-again.ts';
import { isNamed, isUnanswered, upstreamCodeOf } from './sdk-failures.ts';

/** The SDK's extension point for retries, in its second version. */
type RetryStrategy = Extract<
  NonNullable<ECRClientConfig['retryStrategy']>,
  { acquireInitialRetryToken: unknown }
>;

/** What every client of the SDK takes. */
export type Retries = { readonly maxAttempts: number; readonly retryStrategy: RetryStrategy };

type Rule = {
  /** How often one request is sent, at most. */
  maxAttempts: number;
  isSentAgainAfter: (failure: unknown) => boolean;
  /** How long to wait after the `attempt`-th attempt (1, 2, …). */
  waitMs: (attempt: number) => number;
};

const tokenOf = (retries: number, delayMs: number) => ({
  getRetryCount: () => retries,
  getRetryDelay: () => delayMs,
});

/** Without the token bucket of the SDK's strategies, which a few failures empty for every call of the process. */
const retriesBy = ({ maxAttempts, isSentAgainAfter, waitMs }: Rule): Retries => ({
  maxAttempts,
  retryStrategy: {
    acquireInitialRetryToken: async () => tokenOf(0, 0),
    refreshRetryTokenForRetry: async (token, { error }) => {
      const attempt = token.getRetryCount() + 1;
      if (attempt >= maxAttempts || !isSentAgainAfter(error)) {
        throw error;
      }
      return tokenOf(attempt, waitMs(attempt));
    },
    recordSuccess: () => {},
  },
});

/**
 * For the functions: a request whose connection broke before any answer is sent once more, at once. Connections that
 * are kept alive break while a function is frozen. All other failures are answered to the caller, who can wait at less
 * cost.
 */
export const onceMore: Retries = retriesBy({
  maxAttempts: 2,
  isSentAgainAfter: isUnanswered,
  waitMs: () => 0,
});

const baseMs = 250;
const capMs = 4_000;

/** Whether the same request may succeed later, according to the error table. */
function mayPass(failure: unknown): boolean {
  const code = upstreamCodeOf(failure);
  return isUnanswered(failure) || (code !== undefined && isSentAgain(errors[code].sendAgain));
}

/**
 * For a front whose caller cannot retry, as in the middle of a streamed body: what may succeed later is sent again
 * after a random time, at most 16 s in all. The front reads no further in the meantime, which slows the client down.
 */
export const patiently: Retries = retriesBy({
  maxAttempts: 8,
  isSentAgainAfter: (failure) => !isNamed(failure, 'AbortError') && mayPass(failure),
  waitMs: (attempt) => Math.random() * Math.min(capMs, baseMs * 2 ** (attempt - 1)),
});

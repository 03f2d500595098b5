// How often AWS is asked: once more after a connection that broke, or patiently for who cannot be asked again. Decision 0021.

import type { ECRClientConfig } from '@aws-sdk/client-ecr';
import { errors } from '../api/errors.ts';
import { isSentAgain } from '../api/send-again.ts';
import { isNamed, isUnanswered, upstreamCodeOf } from './sdk-failures.ts';

/** The SDK's own extension point, in its second version. */
type RetryStrategy = Extract<
  NonNullable<ECRClientConfig['retryStrategy']>,
  { acquireInitialRetryToken: unknown }
>;

/** What every client of the SDK takes. */
export type Retries = { readonly maxAttempts: number; readonly retryStrategy: RetryStrategy };

type Rule = {
  /** How often one request is sent at most. */
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
 * For the functions: what broke before any answer is sent once more, at once. Connections that are kept alive break
 * while a function is frozen. All else is told to the caller, who can wait at less cost.
 */
export const onceMore: Retries = retriesBy({
  maxAttempts: 2,
  isSentAgainAfter: isUnanswered,
  waitMs: () => 0,
});

const baseMs = 250;
const capMs = 4_000;

/** Whether the error table says that the same request may succeed later; when nobody waits, it is over. */
function mayPass(failure: unknown): boolean {
  const code = upstreamCodeOf(failure);
  return isUnanswered(failure) || (code !== undefined && isSentAgain(errors[code].sendAgain));
}

/**
 * For a front whose caller cannot send again, as in the middle of a body that it streams: whatever may pass is sent
 * again after a random time, 16 s in all at most. The front reads no further meanwhile, which holds the client back.
 */
export const patiently: Retries = retriesBy({
  maxAttempts: 8,
  isSentAgainAfter: (failure) => !isNamed(failure, 'AbortError') && mayPass(failure),
  waitMs: (attempt) => Math.random() * Math.min(capMs, baseMs * 2 ** (attempt - 1)),
});

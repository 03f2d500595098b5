// The pace that parallel layers share: faster by one a round, half as fast when told so.

import { describe, expect, it } from 'vitest';
import { AdaptiveLimiter } from '../../client/adaptive-limiter.ts';
import { ProxyProblem } from '../../client/problem.ts';

const refusal = (status: number, retryAfterSeconds = 0, retryable = true) =>
  new ProxyProblem({ status, code: 'X', detail: 'x', retryAfterSeconds, retryable });
const failing = (problem: ProxyProblem) => () => Promise.reject(problem);
async function answering() {}

/** Runs so many requests at once and says how many were under way at most. */
async function widthOf(limiter: AdaptiveLimiter, requests: number): Promise<number> {
  let underWay = 0;
  let most = 0;
  const request = async () => {
    underWay += 1;
    most = Math.max(most, underWay);
    await new Promise((resolve) => setTimeout(resolve, 5));
    underWay -= 1;
  };
  await Promise.all(Array.from({ length: requests }, () => limiter.run(request)));
  return most;
}

describe('the limit', () => {
  it('is kept', async () => {
    expect(await widthOf(new AdaptiveLimiter({ initialConcurrency: 3, maxConcurrency: 3 }), 20)).toBe(3);
  });

  it('grows by one for each round of answers, up to the most', async () => {
    const limiter = new AdaptiveLimiter({ initialConcurrency: 2, maxConcurrency: 4 });
    const widths: number[] = [];
    for (let request = 0; request < 12; request += 1) {
      await limiter.run(answering);
      widths.push(limiter.concurrency);
    }
    expect(widths).toEqual([2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4]);
  });

  it.each([
    [429, true, 4],
    [503, true, 4],
    [429, false, 8],
    [502, true, 8],
    [404, false, 8],
  ])('after a %i that is retryable: %s becomes %i of 8', async (status, retryable, left) => {
    const limiter = new AdaptiveLimiter({ initialConcurrency: 8 });
    await expect(limiter.run(failing(refusal(status, 0, retryable)))).rejects.toMatchObject({ status });
    expect(limiter.concurrency).toBe(left);
  });

  it('is halved once for requests that were all sent at the old pace, and never below one', async () => {
    const limiter = new AdaptiveLimiter({ initialConcurrency: 8 });
    const round = () =>
      Promise.allSettled(Array.from({ length: 4 }, () => limiter.run(failing(refusal(429)))));
    await round();
    expect(limiter.concurrency).toBe(4);
    for (let again = 0; again < 5; again += 1) {
      await round();
    }
    expect(limiter.concurrency).toBe(1);
  });

  it('lets nobody through before the time that Retry-After told one of them', async () => {
    const limiter = new AdaptiveLimiter();
    await expect(limiter.run(failing(refusal(429, 1)))).rejects.toMatchObject({ status: 429 });
    const started = performance.now();
    await limiter.run(answering);
    expect(performance.now() - started).toBeGreaterThanOrEqual(990);
  });

  it('holds up nobody who gives up', async () => {
    const limiter = new AdaptiveLimiter();
    await expect(limiter.run(failing(refusal(429, 30)))).rejects.toMatchObject({ status: 429 });
    const reason = new Error('enough');
    await expect(limiter.run(answering, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

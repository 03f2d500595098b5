// When a request is sent again, and how long the wait is before it.

import { describe, expect, it } from 'vitest';
import { ProxyProblem } from '../../client/problem.ts';
import { retrying, waitMsAfter } from '../../client/retry.ts';

const policy = { attempts: 3, baseMs: 100, capMs: 1_000, budgetMs: 60_000 };
const problem = (retryable: boolean, retryAfterSeconds?: number) =>
  new ProxyProblem({
    status: 429,
    code: 'ThrottlingException',
    detail: 'slower',
    retryable,
    retryAfterSeconds,
  });

describe('the wait', () => {
  it.each([
    [1, 100],
    [2, 200],
    [3, 400],
    [4, 800],
    [5, 1_000],
    [60, 1_000],
  ])('after failure %i is between 0 and %i ms', (attempt, longestMs) => {
    expect(waitMsAfter(problem(true), attempt, policy, () => 0)).toBe(0);
    expect(waitMsAfter(problem(true), attempt, policy, () => 1)).toBe(longestMs);
  });

  it('is never shorter than Retry-After, and spread beyond it', () => {
    expect(waitMsAfter(problem(true, 7), 1, policy, () => 0)).toBe(7_000);
    expect(waitMsAfter(problem(true, 7), 1, policy, () => 0.5)).toBe(7_050);
  });
});

describe('a request', () => {
  const run = async (thrown: unknown, change: Partial<typeof policy> = {}) => {
    let attempts = 0;
    const request = async () => {
      attempts += 1;
      throw thrown;
    };
    await expect(retrying(request, { ...policy, baseMs: 1, ...change })).rejects.toBe(thrown);
    return attempts;
  };

  it('is sent as often as the policy says', async () => expect(await run(problem(true))).toBe(3));
  it('is sent once after a refusal', async () => expect(await run(problem(false))).toBe(1));
  it('is sent once after any other error', async () => expect(await run(new Error('a bug'))).toBe(1));
  it('is not sent again when Retry-After asks for more time than is left', async () =>
    expect(await run(problem(true, 2), { budgetMs: 1_000 })).toBe(1));
});

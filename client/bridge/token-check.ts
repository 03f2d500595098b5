// Whether the proxy knows a token, asked before anything is done in its name, and again every minute.

import { isProblem, ProxyProblem } from '../problem.ts';
import type { ProxyClient } from '../proxy-client.ts';
import { type RetryPolicy, retrying } from '../retry.ts';

const validForMs = 60_000;
/** Docker waits 15 s for the answer to a login. */
const maxBudgetMs = 10_000;

/**
 * A check of one client's token. Requests that come at the same time share one question.
 * @returns what throws the ProxyProblem that the proxy answers, with status 401 where it does not know the token.
 * Where it did a while ago, and cannot be asked now, the push itself will meet that, or ride it out.
 */
export function tokenCheck(client: ProxyClient, policy: RetryPolicy): () => Promise<void> {
  const budgetMs = Math.min(policy.budgetMs, maxBudgetMs);
  let checkedAtMs: number | undefined;
  let checking: Promise<void> | undefined;

  const check = async (): Promise<void> => {
    const attempts = checkedAtMs === undefined ? policy.attempts : 1;
    try {
      await retrying(() => ask(client), { ...policy, attempts, budgetMs });
      checkedAtMs = performance.now();
    } catch (error) {
      if (checkedAtMs !== undefined && error instanceof ProxyProblem && error.retryable) {
        return;
      }
      checkedAtMs = undefined;
      throw error;
    } finally {
      checking = undefined;
    }
  };

  return async () => {
    if (checkedAtMs !== undefined && performance.now() - checkedAtMs < validForMs) {
      return;
    }
    checking ??= check();
    await checking;
  };
}

/** Sends an invalid request on purpose: the proxy authenticates before it validates, and does nothing else. */
async function ask(client: ProxyClient): Promise<void> {
  try {
    await client.send('BatchCheckLayerAvailability', { repositoryName: '', layerDigests: [] });
  } catch (error) {
    if (!isProblem(error, 'InvalidParameterException')) {
      throw error;
    }
  }
}

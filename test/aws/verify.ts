// Runs the checks one after another against a deployment, and says of each belief whether it holds.

import type { Check, Deployment, Finding } from './check.ts';
import { ecrChecks } from './ecr-checks.ts';
import { gatewayChecks } from './gateway-checks.ts';

export const checks: readonly Check[] = [...gatewayChecks, ...ecrChecks].toSorted((a, b) => a.row - b.row);

export type Result = Finding & { row: number };

/**
 * @param report takes each result as soon as it is there
 * @param withEcr whether there are AWS credentials; without them the checks of ECR are left out
 */
export async function verify(
  deployment: Deployment,
  { withEcr, report }: { withEcr: boolean; report: (result: Result) => void },
): Promise<Result[]> {
  const results: Result[] = [];
  for (const { row, run } of checks.filter(({ needs }) => withEcr || needs === 'proxy')) {
    const finding = await run(deployment).catch(
      (error: unknown): Finding => ({ holds: undefined, saw: `the check failed: ${error}` }),
    );
    results.push({ row, ...finding });
    report({ row, ...finding });
  }
  return results;
}

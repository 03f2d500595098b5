// Runs the checks one after another against a deployment, and says of each belief whether it holds.

import type { Check, Deployment, Finding, RegistryEndpoint } from './check.ts';
import { ecrChecks } from './ecr-checks.ts';
import { gatewayChecks } from './gateway-checks.ts';
import { registryChecks } from './registry-checks.ts';

export const checks: readonly Check[] = [...gatewayChecks, ...ecrChecks, ...registryChecks].toSorted(
  (a, b) => a.row - b.row,
);

export type Result = Finding & { row: number };

type Options = {
  /** Whether there are AWS credentials; without them the checks of ECR are left out. */
  withEcr: boolean;
  /** Without it, so are those of a registry endpoint. */
  registry: RegistryEndpoint | undefined;
  /** Takes each result as soon as it is there. */
  report: (result: Result) => void;
};

/** What a check does here; undefined for one that needs what there is not. */
function runOf(
  check: Check,
  deployment: Deployment,
  { withEcr, registry }: Options,
): (() => Promise<Finding>) | undefined {
  if (check.needs === 'registry') {
    return registry && (() => check.run({ ...deployment, registry }));
  }
  return check.needs === 'proxy' || withEcr ? () => check.run(deployment) : undefined;
}

export async function verify(deployment: Deployment, options: Options): Promise<Result[]> {
  const results: Result[] = [];
  for (const check of checks) {
    const run = runOf(check, deployment, options);
    if (run) {
      const finding = await run().catch(
        (error: unknown): Finding => ({ holds: undefined, saw: `the check failed: ${error}` }),
      );
      const result = { row: check.row, ...finding };
      results.push(result);
      options.report(result);
    }
  }
  return results;
}

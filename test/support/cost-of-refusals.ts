// What a day of refused requests costs, at the prices of us-east-1.

import { prices } from '../../lib/monitoring/prices.ts';

/**
 * What a request without a valid token takes in the functions, measured and rounded up: docs/operations.md. The log
 * is the access log's line, the function's line with its metrics, and Lambda's own.
 */
export const refusal = { seconds: 0.01, logBytes: 2_500 } as const;

/** What X-Ray keeps, beside one trace in a second. Source: the X-Ray developer guide, "Configuring sampling rules". */
const tracedShare = 0.05;

const secondsPerDay = 86_400;

/** USD of a day of refused requests without a break; what the stage's throttling refuses costs nothing. */
export function costOfRefusals(requestsPerSecond: number, memorySizeMegabytes: number): number {
  const perRequest =
    prices.apiRequest +
    prices.lambdaRequest +
    refusal.seconds * (memorySizeMegabytes / 1_024) * prices.lambdaGigabyteSecond +
    (refusal.logBytes / 1e9) * prices.logGigabyte +
    tracedShare * prices.trace;
  return perRequest * requestsPerSecond * secondsPerDay;
}

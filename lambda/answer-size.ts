// Whether an answer fits into what Lambda hands on, and how much less to ask for where it does not.

import type { APIGatewayProxyResult } from 'aws-lambda';
import { maxResponseBytes } from '../api/limits.ts';
import { type OperationName, type OperationRow, operations } from '../api/operations.ts';
import { invalidMembers } from './invalid-members.ts';

/** Lambda's own form of a result; the body, which is JSON already, is escaped in it once more. */
const bytesOf = (result: APIGatewayProxyResult) => Buffer.byteLength(JSON.stringify(result));

/** How many there may be of any of them: the largest may come together. */
function fitting(sizes: readonly number[], room: number): number {
  let used = 0;
  return sizes
    .toSorted((one, other) => other - one)
    .filter((size) => {
      used += size;
      return used <= room;
    }).length;
}

/**
 * Item by item, so that what is too large is never made as a whole.
 *
 * @param write what the door makes of an output
 * @throws InvalidParameterException with the number that fits
 */
export function assertFits(
  operation: OperationName,
  output: object,
  write: (output: object) => APIGatewayProxyResult,
): void {
  const { bulk }: OperationRow<OperationName> = operations[operation];
  const [, items] = Object.entries(output).find(([name]) => name === bulk?.list) ?? [];
  if (!bulk || !Array.isArray(items)) {
    return;
  }
  const bytesWith = (some: readonly unknown[]) => bytesOf(write({ ...output, [bulk.list]: some }));
  const comma = 1;
  const without = bytesWith([]) - comma;
  const sizes = items.map((item: unknown) => bytesWith([item]) - without);
  const number = fitting(sizes, maxResponseBytes - without);
  if (number < items.length) {
    const limit = `an answer has ${maxResponseBytes} bytes at most`;
    const expected =
      number > 0
        ? `${number} at most here: ${limit}, and with more of these it would have more`
        : `what fits: ${limit}, and of these one alone would have more`;
    throw invalidMembers([{ member: bulk.member, expected }]);
  }
}

// Whether an answer fits into what Lambda returns, and how many items to ask for if it does not.

import type { APIGatewayProxyResult } from 'aws-lambda';
import { maxResponseBytes } from '../../api/limits.ts';
import { type OperationName, type OperationRow, operations } from '../../api/operations.ts';
import { invalidMembers } from '../invalid-members.ts';

/** Lambda's own form of a result; the body, which is JSON already, is escaped in it once more. */
const bytesOf = (result: APIGatewayProxyResult) => Buffer.byteLength(JSON.stringify(result));

/** How many items fit, whichever they are: the largest of them may be asked for together. */
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
 * Measures item by item, so that an answer that is too large is never built as a whole.
 *
 * @param write writes an output in the API's form
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
    const limit = `an answer has at most ${maxResponseBytes} bytes`;
    const expected =
      number > 0
        ? `at most ${number} here: ${limit}, and more of these do not fit`
        : `less: ${limit}, and one of these alone is larger`;
    throw invalidMembers([{ member: bulk.member, expected }]);
  }
}

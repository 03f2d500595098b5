// What of a failure may be logged.

import { maxLogLineBytes } from '../../api/limits.ts';
import { bounded } from './bounded.ts';

/** A failure can be its own cause. */
const maxCauses = 4;

function describe(failure: unknown, causes: number): object {
  if (!(failure instanceof Error)) {
    return { type: typeof failure };
  }
  const { name, message, stack, cause } = failure;
  return {
    name,
    message,
    stack,
    ...('code' in failure ? { code: failure.code } : {}),
    ...('$metadata' in failure ? { metadata: failure.$metadata } : {}),
    ...(cause === undefined || causes === 0 ? {} : { cause: describe(cause, causes - 1) }),
  };
}

/** Never the request or the response of the failed call: they may contain tokens or layer bytes. */
export const describeFailure = (failure: unknown): Readonly<Record<string, unknown>> =>
  bounded(describe(failure, maxCauses), maxLogLineBytes / 2);

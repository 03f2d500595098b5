// Whatever a step throws, or what it calls, becomes an error of the table.

import { type ErrorRow, errors } from '../api/errors.ts';
import { ProxyError } from '../api/proxy-error.ts';
import { upstreamCodeOf, upstreamMembersOf } from './sdk-failures.ts';

/** ECR says these itself better than a fixed text could; of all others only the table's text goes out. */
const upstreamDetail = (failure: Error, row: ErrorRow): string =>
  row.detail ?? (failure.message || row.title);

/**
 * Finds the row of the error table for whatever was thrown. What is not in the table is a bug, of which the
 * client learns nothing but the request id.
 */
export function proxyErrorOf(failure: unknown): ProxyError {
  if (failure instanceof ProxyError) {
    return failure;
  }
  const code = upstreamCodeOf(failure);
  if (code === undefined || !(failure instanceof Error)) {
    return new ProxyError('InternalFailure', undefined, { cause: failure });
  }
  return new ProxyError(code, upstreamDetail(failure, errors[code]), {
    members: upstreamMembersOf(failure),
    cause: failure,
  });
}

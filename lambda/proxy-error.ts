// Turns whatever a step throws into an error of the error table.

import { type ErrorRow, errors } from '../api/errors.ts';
import { ProxyError } from '../api/proxy-error.ts';
import { upstreamCodeOf, upstreamMembersOf } from './sdk-failures.ts';

/** Rows without a text of their own answer with ECR's message; all others with the table's text only. */
const upstreamDetail = (failure: Error, row: ErrorRow): string =>
  row.detail ?? (failure.message || row.title);

/**
 * Finds the row of the error table for whatever was thrown. What is not in the table is a bug: the client gets
 * only the request id.
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

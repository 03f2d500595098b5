// Step 5, respond: an Output or an error becomes the door's HTTP response. The only writer of responses.

import type { APIGatewayProxyResult } from 'aws-lambda';
import type { ErrorMembers } from '../../api/error-members.ts';
import { type ErrorRow, errorCodeOf, errors, ProxyError } from '../../api/errors.ts';
import type { OperationName } from '../../api/operations.ts';
import type { Door } from '../doors.ts';
import type { Output } from './forward.ts';

export const respond = (door: Door, operation: OperationName, output: Output): APIGatewayProxyResult =>
  door.writeOutput(operation, output);

/** ECR says these itself better than a fixed text could; of all others only the table's text goes out. */
const upstreamDetail = (failure: Error, row: ErrorRow): string =>
  row.detail ?? (failure.message || row.title);

const upstreamMembers = (failure: Error): ErrorMembers =>
  'kmsError' in failure && typeof failure.kmsError === 'string' ? { kmsError: failure.kmsError } : {};

/**
 * Finds the row of the error table for whatever was thrown. What is not in the table is a bug, of which the
 * client learns nothing but the request id.
 */
export const proxyErrorOf = (failure: unknown): ProxyError => {
  if (failure instanceof ProxyError) return failure;
  const code = errorCodeOf(failure);
  if (code === undefined || !(failure instanceof Error)) {
    return new ProxyError('InternalFailure', undefined, { cause: failure });
  }
  return new ProxyError(code, upstreamDetail(failure, errors[code]), {
    members: upstreamMembers(failure),
    cause: failure,
  });
};

export const respondError = (door: Door, error: ProxyError, requestId: string): APIGatewayProxyResult =>
  door.writeError(error, requestId);

// Step 5, respond: an Output or an error becomes the HTTP response of door 1. The only writer of responses.

import type { APIGatewayProxyResult } from 'aws-lambda';
import {
  type ErrorCode,
  type ErrorMembers,
  type ErrorRow,
  errorCodeOf,
  errors,
  ProxyError,
} from '../errors.ts';
import { type OperationName, operations } from '../operations.ts';
import type { Output } from './forward.ts';

export const respond = (operation: OperationName, output: Output): APIGatewayProxyResult => ({
  statusCode: operations[operation].status,
  headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
  body: JSON.stringify(output),
});

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

type HeaderWriter = (error: ProxyError, row: ErrorRow) => Record<string, string>;

const retryAfter: HeaderWriter = (_error, { retryAfterSeconds }) =>
  retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) };

const challenge = (): Record<string, string> => ({ 'WWW-Authenticate': 'Bearer realm="ecr-upload-proxy"' });

/** The headers of single rows, beside `Retry-After`. */
const headersOfCode: { readonly [Code in ErrorCode]?: HeaderWriter } = {
  UnrecognizedClientException: challenge,
  ExpiredTokenException: challenge,
  InvalidLayerPartException: ({ members: { lastValidByteReceived: last } }) =>
    last === undefined ? {} : { Range: `bytes=0-${last}` },
};

/** An RFC 9457 problem document, with `code`, `requestId` and the exception's own members. */
export const respondProblem = (error: ProxyError, requestId: string): APIGatewayProxyResult => {
  const { code, members } = error;
  const row: ErrorRow = errors[code];
  return {
    statusCode: row.status,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      ...retryAfter(error, row),
      ...headersOfCode[code]?.(error, row),
    },
    body: JSON.stringify({
      type: `urn:ecr-upload-proxy:error:${code}`,
      title: row.title,
      status: row.status,
      detail: error.message,
      code,
      requestId,
      ...members,
    }),
  };
};

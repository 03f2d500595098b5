// Turns whatever a step throws into an error of the error table.

import { type ErrorRow, errors } from '../api/errors.ts';
import { ProxyError } from '../api/proxy-error.ts';
import { upstreamCodeOf, upstreamMembersOf } from './sdk-failures.ts';
import { short } from './telemetry/bounded.ts';

/** ECR's own messages are shorter. */
const maxMessageCharacters = 1_000;

/** It is shown at terminals, and becomes a part of headers. */
const messageOf = ({ message }: Error): string =>
  short(message, maxMessageCharacters).replace(/\p{Cc}+/gu, ' ');

/** Rows without a text of their own answer with ECR's message; all others with the table's text only. */
const upstreamDetail = (failure: Error, row: ErrorRow): string =>
  row.detail ?? (messageOf(failure) || row.title);

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

// An error as the resource API writes it: a problem document. Source: RFC 9457.

import { type ErrorRow, errors } from './errors.ts';
import type { ProxyError } from './proxy-error.ts';

export const problemType = 'application/problem+json';

/** @param requestId what the log has the request under */
export function problemOf({ code, message: detail, members }: ProxyError, requestId: string) {
  const { status, title }: ErrorRow = errors[code];
  return { type: `urn:ecr-upload-proxy:error:${code}`, title, status, code, requestId, detail, ...members };
}

// A request that got no answer: which failures of the network are temporary, and which are not.

import { ProxyProblem } from './problem.ts';

/** The codes of Node.js and undici after which the same request may be sent again. */
const passingCodes: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'HPE_INVALID_EOF_STATE',
]);

/** The problem behind what the HTTP client threw; `host` is named in its message. */
export function noAnswerProblem(thrown: unknown, host: string): ProxyProblem {
  const { code, message } = reasonOf(thrown);
  return new ProxyProblem({
    code: 'NoAnswer',
    detail: `no answer from ${host}: ${[code, message].filter(Boolean).join(', ')}`,
    retryable: code !== undefined && passingCodes.has(code),
  });
}

/** The problem of a request that took longer than it may. */
export const timeoutProblem = (host: string, timeoutMs: number): ProxyProblem =>
  new ProxyProblem({
    code: 'RequestTimeout',
    detail: `no answer from ${host} within ${timeoutMs / 1_000} s`,
    retryable: true,
  });

/** Of an error that wraps another, the inner one; only its code and message are taken. */
function reasonOf(thrown: unknown): { code: string | undefined; message: string | undefined } {
  const innermost = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  if (!(innermost instanceof Error)) {
    return { code: undefined, message: 'the connection failed' };
  }
  const code = 'code' in innermost && typeof innermost.code === 'string' ? innermost.code : undefined;
  return { code, message: innermost.message };
}

// Reads an error response: the proxy's problem document, or API Gateway's own message.

import { z } from 'zod';
import { errorMembers } from '../api/error-members.ts';
import { type ErrorCode, errors, isErrorCode } from '../api/errors.ts';
import { isSentAgain } from '../api/send-again.ts';
import { ProxyProblem } from './problem.ts';

/** The proxy's own answer, RFC 9457. */
const problemDocument = z.object({
  code: z.string(),
  title: z.string().optional(),
  detail: z.string().optional(),
  requestId: z.string().optional(),
  lastValidByteReceived: errorMembers.lastValidByteReceived.optional(),
});

/** API Gateway's own answer, where no function was asked; a resource policy's refusal spells it `Message`. */
const gatewayAnswer = z
  .union([z.object({ message: z.string() }), z.object({ Message: z.string() })])
  .transform((answer) => ('message' in answer ? answer.message : answer.Message));

/** What API Gateway means by a status of its own. Source: API Gateway's gateway response types. */
const codeOfGatewayStatus: Readonly<Record<number, ErrorCode>> = {
  401: 'UnrecognizedClientException',
  403: 'AccessDeniedException',
  413: 'RequestEntityTooLargeException',
  415: 'UnsupportedMediaTypeException',
  429: 'ThrottlingException',
  500: 'InternalFailure',
  502: 'ServerException',
  503: 'ServiceUnavailableException',
  504: 'GatewayTimeoutException',
};

/** API Gateway's words for a path that it does not know. Source: API Gateway's MISSING_AUTHENTICATION_TOKEN. */
const unknownPath = {
  message: 'Missing Authentication Token',
  meaning:
    'which it says of a path it does not know: is the endpoint whole, with its stage? Is the proxy as new as this client?',
  code: 'UnknownOperationException',
} as const satisfies { message: string; meaning: string; code: ErrorCode };

/** What the error table says of a code; of one that it does not know, what it says of the status. */
function isRetryable(code: string, status: number): boolean {
  const known = isErrorCode(code) ? code : codeOfGatewayStatus[status];
  return known !== undefined && isSentAgain(errors[known].sendAgain);
}

const maxDetailCharacters = 2_000;

/** The problem that an answer with this status, these headers and this body stands for. */
export function problemOf(status: number, headers: Headers, body: string): ProxyProblem {
  const json = jsonOf(body);
  const shared = {
    status,
    retryAfterSeconds: retryAfterSecondsOf(headers.get('retry-after')),
  };
  const requestId = headers.get('x-amzn-requestid') ?? undefined;
  const document = problemDocument.safeParse(json).data;
  if (document) {
    const { code, title, detail = title ?? code } = document;
    const lastValidByteReceived = document.lastValidByteReceived ?? lastByteOf(status, headers.get('range'));
    return new ProxyProblem({
      ...shared,
      code,
      retryable: isRetryable(code, status),
      detail: detail.slice(0, maxDetailCharacters),
      requestId: document.requestId ?? requestId,
      lastValidByteReceived,
    });
  }
  const message = gatewayAnswer.safeParse(json).data;
  const isUnknownPath = message === unknownPath.message;
  const code = isUnknownPath ? unknownPath.code : (codeOfGatewayStatus[status] ?? 'UnexpectedAnswer');
  const detail = message
    ? [
        `the gateway in front of the proxy answers: ${message.slice(0, maxDetailCharacters)}`,
        ...(isUnknownPath ? [unknownPath.meaning] : []),
      ].join(', ')
    : `the endpoint answers ${headers.get('content-type') ?? 'nothing'} instead of a problem document`;
  return new ProxyProblem({ ...shared, code, retryable: isRetryable(code, status), detail, requestId });
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** `Range: bytes=0-N` of a 416 says what `lastValidByteReceived` says. */
function lastByteOf(status: number, range: string | null): number | undefined {
  const last = status === 416 ? /^bytes=0-(\d+)$/.exec(range ?? '')?.[1] : undefined;
  return last === undefined ? undefined : Number(last);
}

/** Seconds or a date. Source: RFC 9110, 10.2.3. */
function retryAfterSecondsOf(header: string | null): number | undefined {
  if (header === null) {
    return undefined;
  }
  if (/^\d+$/.test(header)) {
    return Number(header);
  }
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1_000));
}

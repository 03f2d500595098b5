// What API Gateway answers by itself, in the form of the proxy's own refusals: problem documents (RFC 9457).

import { type GatewayResponseOptions, ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import { type ErrorCode, type ErrorRow, errors } from '../api/errors.ts';
import { headersOf } from '../api/proxy-error.ts';

/** A row of api/errors.ts, and a detail of its own where the row's speaks of the registry. */
type Answer = { readonly code: ErrorCode; readonly detail?: string };

const noSuchRoute: Answer = {
  code: 'UnknownOperationException',
  detail: 'No such route. Is the address whole, with its stage, the registry and the right method?',
};
const notFromHere: Answer = {
  code: 'AccessDeniedException',
  detail:
    'The network does not let this request in: its address, its VPC endpoint, or a rule of the firewall.',
};
export const slowDown: Answer = {
  code: 'ThrottlingException',
  detail:
    'The proxy asks all its clients for a slower pace. Send the same request again after the time in Retry-After.',
};
const outOfTime: Answer = { code: 'GatewayTimeoutException' };
const noCredentials: Answer = { code: 'UnrecognizedClientException' };
const illFormed: Answer = {
  code: 'InvalidParameterException',
  detail: 'The gateway cannot read this request.',
};

/**
 * By API Gateway's response types. A body over 10 MB and headers over 10,240 bytes are refused before any of
 * them applies. Source: the API Gateway developer guide, "Gateway response types".
 */
export const gatewayAnswers = {
  ACCESS_DENIED: notFromHere,
  BAD_REQUEST_BODY: illFormed,
  BAD_REQUEST_PARAMETERS: illFormed,
  DEFAULT_4XX: illFormed,
  DEFAULT_5XX: { code: 'InternalFailure' },
  EXPIRED_TOKEN: { code: 'ExpiredTokenException' },
  INTEGRATION_FAILURE: outOfTime,
  INTEGRATION_TIMEOUT: outOfTime,
  INVALID_SIGNATURE: noCredentials,
  MISSING_AUTHENTICATION_TOKEN: noSuchRoute,
  REQUEST_TOO_LARGE: {
    code: 'RequestEntityTooLargeException',
    detail: 'Send parts of the partSize that InitiateLayerUpload answered.',
  },
  RESOURCE_NOT_FOUND: noSuchRoute,
  THROTTLED: slowDown,
  QUOTA_EXCEEDED: slowDown,
  UNAUTHORIZED: noCredentials,
  UNSUPPORTED_MEDIA_TYPE: { code: 'UnsupportedMediaTypeException' },
  WAF_FILTERED: notFromHere,
} as const satisfies Record<string, Answer>;

/** A header's value as API Gateway's mappings write a fixed one. */
const quoted = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, `'${value}'`]));

/** The members are those of the resource API (lambda/doors.ts), but for the request's id: a test compares them. */
export function problemOf({ code, detail }: Answer) {
  const row: ErrorRow = errors[code];
  const { status, title } = row;
  return {
    type: `urn:ecr-upload-proxy:error:${code}`,
    title,
    status,
    detail: detail ?? row.detail ?? title,
    code,
  };
}

/** The headers, too, are those of the resource API; `WWW-Authenticate` keeps its name here. */
function responseOf(type: string, answer: Answer): GatewayResponseOptions {
  const { status } = errors[answer.code];
  const problem = { ...problemOf(answer), requestId: '$context.requestId' };
  return {
    type: ResponseType.of(type),
    statusCode: String(status),
    responseHeaders: quoted({
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      ...headersOf(answer),
    }),
    templates: { 'application/json': JSON.stringify(problem) },
  };
}

export function addGatewayResponses(api: RestApi): void {
  for (const [type, answer] of Object.entries(gatewayAnswers)) {
    api.addGatewayResponse(type, responseOf(type, answer));
  }
}

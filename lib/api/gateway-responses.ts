// What API Gateway answers by itself, in the forms of the proxy's own refusals: problem documents, and AWS's errors.

import { type GatewayResponseOptions, ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import { awsFormOf } from '../../api/aws-form.ts';
import { type ErrorCode, type ErrorRow, errors } from '../../api/errors.ts';
import { maxEventBytes, maxManifestCharacters, partSize } from '../../api/limits.ts';
import { headersOf } from '../../api/proxy-error.ts';

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
  detail: 'All clients of this proxy together send more requests than it takes.',
};
const outOfTime: Answer = { code: 'GatewayTimeoutException' };
/**
 * Lambda refuses the invocation, with 429 where the function or the account runs as often at once as it may; or the
 * function ended amid its work, after which every request may be made again.
 */
const noAnswer: Answer = {
  code: 'ServiceUnavailableException',
  detail: 'No instance of its function is free, or it ended without an answer. Send the same request again.',
};
const noCredentials: Answer = { code: 'UnrecognizedClientException' };
/** Of a part, of a manifest or of anything else: API Gateway does not say which. */
const tooLarge: Answer = {
  code: 'RequestEntityTooLargeException',
  detail:
    `The request makes an event of ${maxEventBytes} bytes or more. Send a layer in parts of the partSize that ` +
    `InitiateLayerUpload answered (${partSize} bytes). An imageManifest has ${maxManifestCharacters} characters at ` +
    'most, fewer where many of them are quotes. A part of exactly partSize is too large only where its base64 is ' +
    'written with escapes, six characters for each + say: let the client write it without, or send the bytes as ' +
    'they are to the resource API.',
};
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
  DEFAULT_5XX: noAnswer,
  EXPIRED_TOKEN: { code: 'ExpiredTokenException' },
  INTEGRATION_FAILURE: noAnswer,
  INTEGRATION_TIMEOUT: outOfTime,
  INVALID_SIGNATURE: noCredentials,
  MISSING_AUTHENTICATION_TOKEN: noSuchRoute,
  REQUEST_TOO_LARGE: tooLarge,
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

/**
 * API Gateway answers both APIs with one text: the members of the resource API's problem document, but for the
 * request's id, and also those of the AWS API's error. Tests compare them with what the functions answer.
 */
export function problemOf({ code, detail: ownDetail }: Answer) {
  const row: ErrorRow = errors[code];
  const { status, title } = row;
  const detail = ownDetail ?? row.detail ?? title;
  const { type: __type, message } = awsFormOf({ code, message: detail });
  return { type: `urn:ecr-upload-proxy:error:${code}`, title, status, detail, code, __type, message };
}

/**
 * The headers, too, are those of the resource API; `WWW-Authenticate` keeps its name here. Of the SDKs, some look for
 * the exception's name in the body, and some first in a header, in which API Gateway would name one of its own.
 */
function responseOf(type: string, answer: Answer): GatewayResponseOptions {
  const { status } = errors[answer.code];
  const problem = { ...problemOf(answer), requestId: '$context.requestId' };
  return {
    type: ResponseType.of(type),
    statusCode: String(status),
    responseHeaders: quoted({
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      'x-amzn-ErrorType': awsFormOf({ ...answer, message: '' }).type,
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

// What the gateway answers by itself: API Gateway's own words, or what the template wants in their place.

import type { LocalTemplate } from '../template/template.ts';
import type { HeaderList } from './headers.ts';

export type HttpResponse = { status: number; headers: HeaderList; body: Buffer };

type Row = {
  readonly status: number;
  readonly errorType: string;
  readonly message: string;
  /** The response type whose customisation serves where its own has none; none where nothing can be customised. */
  readonly otherwise?: 'DEFAULT_4XX' | 'DEFAULT_5XX';
};

const clientFault = (status: number, errorType: string, message: string): Row => ({
  status,
  errorType,
  message,
  otherwise: 'DEFAULT_4XX',
});

const serverFault = (status: number, message: string): Row => ({
  status,
  errorType: 'InternalServerErrorException',
  message,
  otherwise: 'DEFAULT_5XX',
});

/**
 * By API Gateway's response types, and two answers that have none. Source: the API Gateway developer guide, "Gateway
 * response types", and what API Gateway's APIs are seen to send.
 */
const rows = {
  ACCESS_DENIED: clientFault(
    403,
    'AccessDeniedException',
    'User: anonymous is not authorized to perform: execute-api:Invoke',
  ),
  API_CONFIGURATION_ERROR: serverFault(500, 'Internal server error'),
  AUTHORIZER_CONFIGURATION_ERROR: serverFault(500, 'Internal server error'),
  AUTHORIZER_FAILURE: serverFault(500, 'Internal server error'),
  BAD_REQUEST_BODY: clientFault(400, 'BadRequestException', 'Invalid request body'),
  BAD_REQUEST_PARAMETERS: clientFault(400, 'BadRequestException', 'Missing required request parameters'),
  /** What cannot be read at all. */
  DEFAULT_4XX: clientFault(400, 'BadRequestException', 'Bad Request'),
  /** A function that ends without an answer, or with one that is none. */
  DEFAULT_5XX: serverFault(502, 'Internal server error'),
  EXPIRED_TOKEN: clientFault(
    403,
    'ExpiredTokenException',
    'The security token included in the request is expired',
  ),
  /** Lambda does not take the request: documented as 500 where a template does not say otherwise. */
  INTEGRATION_FAILURE: serverFault(500, 'Internal server error'),
  INTEGRATION_TIMEOUT: serverFault(504, 'Endpoint request timed out'),
  INVALID_API_KEY: clientFault(403, 'ForbiddenException', 'Forbidden'),
  INVALID_SIGNATURE: clientFault(
    403,
    'InvalidSignatureException',
    'The request signature we calculated does not match',
  ),
  MISSING_AUTHENTICATION_TOKEN: clientFault(
    403,
    'MissingAuthenticationTokenException',
    'Missing Authentication Token',
  ),
  QUOTA_EXCEEDED: clientFault(429, 'LimitExceededException', 'Limit Exceeded'),
  /** A body that makes too large an event for Lambda. */
  REQUEST_TOO_LARGE: clientFault(413, 'RequestTooLargeException', 'Request Too Long'),
  RESOURCE_NOT_FOUND: clientFault(404, 'NotFoundException', 'Not Found'),
  THROTTLED: clientFault(429, 'TooManyRequestsException', 'Too Many Requests'),
  UNAUTHORIZED: clientFault(401, 'UnauthorizedException', 'Unauthorized'),
  UNSUPPORTED_MEDIA_TYPE: clientFault(415, 'BadRequestException', 'Unsupported Media Type'),
  WAF_FILTERED: clientFault(403, 'ForbiddenException', 'Forbidden'),
  /** A body over 10 MB, which is refused before the API is known. */
  payloadTooLarge: { status: 413, errorType: 'RequestTooLargeException', message: 'Request Too Long' },
  headersTooLarge: {
    status: 431,
    errorType: 'RequestHeaderFieldsTooLargeException',
    message: 'Request Header Fields Too Large',
  },
} as const satisfies Record<string, Row>;

export type GatewayResponse = keyof typeof rows;

const isGatewayResponse = (name: string): name is GatewayResponse => Object.hasOwn(rows, name);

/** Those that API Gateway has a response type for, by which a template customises them. */
export const responseTypes: readonly GatewayResponse[] = Object.keys(rows)
  .filter(isGatewayResponse)
  .filter((name) => 'otherwise' in rows[name]);

/** The template's own headers take the place of those of the same name. */
function withDefaults(headers: HeaderList, { errorType }: Row): HeaderList {
  const own = new Set(headers.map(([name]) => name.toLowerCase()));
  const defaults: HeaderList = [
    ['x-amzn-ErrorType', errorType],
    ['Content-Type', 'application/json'],
  ];
  return [...defaults.filter(([name]) => !own.has(name.toLowerCase())), ...headers];
}

export const gatewayResponder =
  ({ gatewayResponses }: Pick<LocalTemplate, 'gatewayResponses'>) =>
  (name: GatewayResponse, requestId: string): HttpResponse => {
    const row: Row = rows[name];
    const wanted = gatewayResponses.get(name) ?? gatewayResponses.get(row.otherwise ?? '');
    const { message } = row;
    const body = wanted?.body ?? JSON.stringify({ message });
    return {
      status: wanted?.status ?? row.status,
      headers: withDefaults(wanted?.headers ?? [], row),
      body: Buffer.from(body.replaceAll('$context.requestId', requestId)),
    };
  };

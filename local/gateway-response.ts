// What the gateway answers by itself: API Gateway's own words, or what the template wants in their place.

import type { HeaderList } from './headers.ts';
import type { CustomResponse, LocalTemplate } from './template.ts';

export type HttpResponse = { status: number; headers: HeaderList; body: Buffer };

type Row = {
  status: number;
  errorType: string;
  message: string;
  /** API Gateway's response types, the first of them that the template customises; none where it cannot. */
  responseTypes: readonly string[];
};

/** Source: "Gateway response types", and what API Gateway's APIs are seen to send. */
const rows = {
  BadRequest: {
    status: 400,
    errorType: 'BadRequestException',
    message: 'Bad Request',
    responseTypes: ['DEFAULT_4XX'],
  },
  MissingAuthenticationToken: {
    status: 403,
    errorType: 'MissingAuthenticationTokenException',
    message: 'Missing Authentication Token',
    responseTypes: ['MISSING_AUTHENTICATION_TOKEN', 'DEFAULT_4XX'],
  },
  /** A body over 10 MB, which is refused before the API is known. */
  PayloadTooLarge: {
    status: 413,
    errorType: 'RequestTooLargeException',
    message: 'Request Too Long',
    responseTypes: [],
  },
  /** A body that makes too large an event for Lambda. */
  RequestTooLarge: {
    status: 413,
    errorType: 'RequestTooLargeException',
    message: 'Request Too Long',
    responseTypes: ['REQUEST_TOO_LARGE', 'DEFAULT_4XX'],
  },
  HeadersTooLarge: {
    status: 431,
    errorType: 'RequestHeaderFieldsTooLargeException',
    message: 'Request Header Fields Too Large',
    responseTypes: [],
  },
  InternalServerError: {
    status: 502,
    errorType: 'InternalServerErrorException',
    message: 'Internal server error',
    responseTypes: ['DEFAULT_5XX'],
  },
  EndpointTimedOut: {
    status: 504,
    errorType: 'InternalServerErrorException',
    message: 'Endpoint request timed out',
    responseTypes: ['INTEGRATION_TIMEOUT', 'DEFAULT_5XX'],
  },
} as const satisfies Record<string, Row>;

export type GatewayResponse = keyof typeof rows;

const plain = ({ message }: Row) => JSON.stringify({ message });

const customised = (
  { status, headers, body }: CustomResponse,
  row: Row,
  requestId: string,
): HttpResponse => ({
  status: status ?? row.status,
  headers: [['x-amzn-ErrorType', row.errorType], ...withContentType(headers)],
  body: Buffer.from((body ?? plain(row)).replaceAll('$context.requestId', requestId)),
});

const withContentType = (headers: HeaderList): HeaderList =>
  headers.some(([name]) => name.toLowerCase() === 'content-type')
    ? headers
    : [['Content-Type', 'application/json'], ...headers];

export const gatewayResponder =
  ({ gatewayResponses }: Pick<LocalTemplate, 'gatewayResponses'>) =>
  (name: GatewayResponse, requestId: string): HttpResponse => {
    const row: Row = rows[name];
    const wanted = row.responseTypes.map((type) => gatewayResponses.get(type)).find(Boolean);
    return customised(wanted ?? { status: undefined, headers: [], body: undefined }, row, requestId);
  };

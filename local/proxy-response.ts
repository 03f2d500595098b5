// What the gateway answers: the function's response where it is well formed, or one of API Gateway's own.

import { z } from 'zod';
import { type HeaderList, toClient } from './headers.ts';
import { isBinary } from './proxy-event.ts';

export type HttpResponse = { status: number; headers: HeaderList; body: Buffer };

/** The answers API Gateway gives itself. Source: "Gateway response types", and what its APIs are seen to send. */
const gatewayResponses = {
  BadRequest: [400, 'BadRequestException', 'Bad Request'],
  MissingAuthenticationToken: [403, 'MissingAuthenticationTokenException', 'Missing Authentication Token'],
  RequestTooLarge: [413, 'RequestTooLargeException', 'Request Too Long'],
  HeadersTooLarge: [431, 'RequestHeaderFieldsTooLargeException', 'Request Header Fields Too Large'],
  InternalServerError: [502, 'InternalServerErrorException', 'Internal server error'],
  EndpointTimedOut: [504, 'InternalServerErrorException', 'Endpoint request timed out'],
} as const;

export type GatewayResponse = keyof typeof gatewayResponses;

export const gatewayResponse = (name: GatewayResponse): HttpResponse => {
  const [status, errorType, message] = gatewayResponses[name];
  return {
    status,
    headers: [
      ['Content-Type', 'application/json'],
      ['x-amzn-ErrorType', errorType],
    ],
    body: Buffer.from(JSON.stringify({ message })),
  };
};

const headerValue = z.union([z.string(), z.number(), z.boolean()]).transform(String);

/** Source: "Output format of a Lambda function for proxy integration" in the developer guide. */
const proxyResult = z.object({
  statusCode: z.coerce.number().int().min(100).max(599),
  headers: z.record(z.string(), headerValue).nullish(),
  multiValueHeaders: z.record(z.string(), z.array(headerValue)).nullish(),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().nullish(),
});

/**
 * @param payload the JSON that the function gave back
 * @param accept of the request: API Gateway decodes a response in base64 only where the first media type that
 *   the client accepts is a binary one
 */
export const functionResponse = (
  payload: string,
  accept: string | undefined,
  binaryMediaTypes: readonly string[],
): HttpResponse => {
  const { data } = proxyResult.safeParse(parse(payload));
  if (!data) return gatewayResponse('InternalServerError');
  const headers = [
    ...Object.entries(data.headers ?? {}),
    ...Object.entries(data.multiValueHeaders ?? {}).flatMap(([name, values]) =>
      values.map((value): [string, string] => [name, value]),
    ),
  ];
  const hasType = headers.some(([name]) => name.toLowerCase() === 'content-type');
  const decodes = data.isBase64Encoded && isBinary(accept?.split(',')[0], binaryMediaTypes);
  return {
    status: data.statusCode,
    headers: toClient(hasType ? headers : [...headers, ['Content-Type', 'application/json']]),
    body: Buffer.from(data.body ?? '', decodes ? 'base64' : 'utf8'),
  };
};

const parse = (payload: string): unknown => {
  try {
    return JSON.parse(payload);
  } catch {
    return undefined;
  }
};

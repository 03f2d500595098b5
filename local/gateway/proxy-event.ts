// The event that API Gateway makes of an HTTP request for a Lambda proxy integration, format 1.0.

import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { Account } from '../account.ts';
import { type HeaderList, toFunction } from './headers.ts';
import type { Match } from './routes.ts';

export type GatewayRequest = {
  method: string;
  /** As it came, without the query. */
  path: string;
  query: string;
  headers: HeaderList;
  body: Buffer | undefined;
  sourceIp: string;
  requestId: string;
  extendedRequestId: string;
  receivedAt: Date;
};

/** API Gateway gives every name twice: with its last value, and with all of them. */
function collect(entries: Iterable<readonly [string, string]>, identify: (name: string) => string) {
  const found = new Map<string, { name: string; values: string[] }>();
  for (const [name, value] of entries) {
    const known = found.get(identify(name)) ?? { name, values: [] };
    found.set(identify(name), { ...known, values: [...known.values, value] });
  }
  const all = [...found.values()];
  return {
    single: Object.fromEntries(all.map(({ name, values }) => [name, values.at(-1) ?? ''])),
    multi: Object.fromEntries(all.map(({ name, values }) => [name, values])),
  };
}

const orNull = <T extends object>(values: T): T | null => (Object.keys(values).length > 0 ? values : null);

/** `application/octet-stream; x=y` is of the type `application/octet-stream`, `APPLICATION/…` is of another. */
export const isBinary = (contentType: string | undefined, binaryMediaTypes: readonly string[]): boolean =>
  binaryMediaTypes.includes((contentType ?? '').split(';')[0]?.trim() ?? '');

const forwardedHeaders = ({ sourceIp, requestId }: GatewayRequest): HeaderList => [
  ['X-Amzn-Trace-Id', `Root=1-00000000-${requestId.replaceAll('-', '').slice(0, 24)}`],
  ['X-Forwarded-For', sourceIp],
  ['X-Forwarded-Port', '443'],
  ['X-Forwarded-Proto', 'https'],
];

/** The fields are those of "Input format of a Lambda function for proxy integration" in the developer guide. */
export function proxyEvent(
  request: GatewayRequest,
  { route, pathParameters }: Match,
  { binaryMediaTypes, account }: { binaryMediaTypes: readonly string[]; account: Account },
): APIGatewayProxyEvent {
  const { method, path, body, receivedAt } = request;
  const headers = collect([...toFunction(request.headers), ...forwardedHeaders(request)], (name) =>
    name.toLowerCase(),
  );
  const query = collect(new URLSearchParams(request.query), (name) => name);
  const header = (name: string) => request.headers.find(([key]) => key.toLowerCase() === name)?.[1];
  const isBase64Encoded = body !== undefined && isBinary(header('content-type'), binaryMediaTypes);
  return {
    resource: route.path,
    path,
    httpMethod: method,
    headers: headers.single,
    multiValueHeaders: headers.multi,
    queryStringParameters: orNull(query.single),
    multiValueQueryStringParameters: orNull(query.multi),
    pathParameters: orNull(pathParameters),
    stageVariables: null,
    requestContext: {
      accountId: account.accountId,
      apiId: 'local',
      authorizer: null,
      domainName: header('host') ?? 'localhost',
      domainPrefix: 'local',
      extendedRequestId: request.extendedRequestId,
      httpMethod: method,
      identity: { ...nobody, sourceIp: request.sourceIp, userAgent: header('user-agent') ?? null },
      path,
      protocol: 'HTTP/1.1',
      requestId: request.requestId,
      requestTime: receivedAt.toUTCString(),
      requestTimeEpoch: receivedAt.getTime(),
      resourceId: 'local',
      resourcePath: route.path,
      stage: 'local',
    },
    body: body?.toString(isBase64Encoded ? 'base64' : 'utf8') ?? null,
    isBase64Encoded,
  };
}

/** What IAM and Cognito would fill in. */
const nobody = {
  accessKey: null,
  accountId: null,
  apiKey: null,
  apiKeyId: null,
  caller: null,
  clientCert: null,
  cognitoAuthenticationProvider: null,
  cognitoAuthenticationType: null,
  cognitoIdentityId: null,
  cognitoIdentityPoolId: null,
  principalOrgId: null,
  user: null,
  userArn: null,
};

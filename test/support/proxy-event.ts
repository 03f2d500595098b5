// Events as a REST API sends them to a function, and the context that Lambda gives beside them.

import type { APIGatewayProxyEvent, Context } from 'aws-lambda';
import { type OperationName, operations } from '../../lambda/operations.ts';

type Request = {
  headers?: Record<string, string>;
  path?: Record<string, string>;
  query?: Record<string, string[]>;
  json?: unknown;
  text?: string;
  bytes?: Uint8Array;
};

const bodyOf = ({ json, text, bytes }: Request) => {
  if (bytes) return bytes.length > 0 ? Buffer.from(bytes).toString('base64') : null;
  return text ?? (json === undefined ? null : JSON.stringify(json));
};

/** What API Gateway makes of a request to an operation of door 1; header names in lower case. */
export const proxyEvent = (operation: OperationName, request: Request): APIGatewayProxyEvent => {
  const { method, path } = operations[operation];
  return {
    resource: `/ecr${path}`,
    path: `/ecr${path}`.replace('{uploadId}', request.path?.uploadId ?? ''),
    httpMethod: method,
    headers: { 'content-type': 'application/json', ...request.headers },
    multiValueHeaders: {},
    pathParameters: request.path ?? null,
    queryStringParameters: null,
    multiValueQueryStringParameters: request.query ?? null,
    stageVariables: null,
    body: bodyOf(request),
    isBase64Encoded: request.bytes !== undefined && request.bytes.length > 0,
    requestContext: {
      accountId: '123456789012',
      apiId: 'test',
      authorizer: {},
      protocol: 'HTTP/1.1',
      httpMethod: method,
      identity: {
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
        sourceIp: '127.0.0.1',
        user: null,
        userAgent: null,
        userArn: null,
      },
      path,
      stage: 'test',
      requestId: 'test-request',
      requestTimeEpoch: 0,
      resourceId: 'test',
      resourcePath: `/ecr${path}`,
    },
  };
};

export const lambdaContext = (timeoutMs = 28_000): Context => {
  const deadline = Date.now() + timeoutMs;
  return {
    callbackWaitsForEmptyEventLoop: false,
    functionName: 'test',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:test',
    memoryLimitInMB: '1769',
    awsRequestId: 'test',
    logGroupName: 'test',
    logStreamName: 'test',
    getRemainingTimeInMillis: () => deadline - Date.now(),
    done: () => {},
    fail: () => {},
    succeed: () => {},
  };
};

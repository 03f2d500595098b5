// Events of the operations' routes as API Gateway sends them to a function, and the context beside them.

import type { APIGatewayProxyEvent, Context } from 'aws-lambda';
import { type OperationName, operations } from '../../api/operations.ts';
import { type Registry, registries } from '../../api/registries.ts';
import { localAccount } from '../../local/account.ts';
import { proxyEvent as eventOf } from '../../local/gateway/proxy-event.ts';

export type EventRequest = {
  headers?: Record<string, string>;
  path?: Record<string, string>;
  query?: Record<string, string[]>;
  json?: unknown;
  text?: string;
  bytes?: Uint8Array;
};

function bodyOf({ json, text, bytes }: EventRequest): Buffer | undefined {
  if (bytes) {
    return bytes.length > 0 ? Buffer.from(bytes) : undefined;
  }
  const body = text ?? (json === undefined ? undefined : JSON.stringify(json));
  return body === undefined ? undefined : Buffer.from(body);
}

function eventAt(method: string, path: string, functionName: string, request: EventRequest) {
  const query = Object.entries(request.query ?? {}).flatMap(([name, values]) =>
    values.map((value): [string, string] => [name, value]),
  );
  return eventOf(
    {
      method,
      path,
      query: new URLSearchParams(query).toString(),
      headers: Object.entries(request.headers ?? {}),
      body: bodyOf(request),
      sourceIp: '127.0.0.1',
      requestId: 'test-request',
      extendedRequestId: 'test',
      receivedAt: new Date(),
    },
    { route: { method, path, functionName }, pathParameters: request.path ?? {} },
    { binaryMediaTypes: ['application/octet-stream'], account: localAccount },
  );
}

/** A request to an operation of the resource API, of JSON unless its headers say otherwise. */
export function proxyEvent(
  operation: OperationName,
  request: EventRequest,
  registry: Registry = 'ecr',
): APIGatewayProxyEvent {
  const { method, path } = operations[operation];
  const headers = { 'content-type': 'application/json', ...request.headers };
  return eventAt(method, `/${registry}${path}`, operation, { ...request, headers });
}

/** The same to the AWS API: ECR's own wire. */
export function awsEvent(operation: OperationName, request: EventRequest): APIGatewayProxyEvent {
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': `${registries.ecr.targetPrefix}.${operation}`,
    ...request.headers,
  };
  return eventAt('POST', '/', 'aws-api', { ...request, headers });
}

export function lambdaContext(timeoutMs = 28_000): Context {
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
}

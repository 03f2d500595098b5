// The Lambda handlers: with Middy, an API Gateway event becomes a call, and its outcome an answer in the API's form.

import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import middy, { type MiddyfiedHandler } from '@middy/core';
import headerNormalizer from '@middy/http-header-normalizer';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { answerReserveMs } from '../../api/limits.ts';
import type { OperationName } from '../../api/operations.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { sessionTokenExchange } from '../../api/session-tokens.ts';
import type { FunctionServices } from '../function-services.ts';
import type { IncomingCall } from '../incoming-call.ts';
import { proxyErrorOf } from '../proxy-error.ts';
import { exchange, serve } from '../serve.ts';
import type { BeginRecord, CallRecord } from '../telemetry/call-record.ts';
import type { Api } from './api.ts';
import { awsApi } from './aws-api.ts';
import { readEventMembers, requestRules } from './event-members.ts';
import { resourceApi, writeJson, writeProblem } from './resource-api.ts';

/** What Lambda invokes. */
export type Handler = MiddyfiedHandler<APIGatewayProxyEvent, APIGatewayProxyResult>;

type Request = middy.Request<APIGatewayProxyEvent, APIGatewayProxyResult>;

/** Ends an invocation shortly before Lambda would, so that the client gets our 504. */
const early = {
  timeoutEarlyInMillis: answerReserveMs,
  timeoutEarlyResponse: () => {
    throw new ProxyError('GatewayTimeoutException');
  },
};

/** One record per invocation, found by Lambda's context, the only object of its own that Middy passes on. */
function recordsOf(beginRecord: BeginRecord) {
  const records = new WeakMap<object, CallRecord>();
  return ({ event, context }: Pick<Request, 'event' | 'context'>): CallRecord => {
    const { requestId, identity } = event.requestContext;
    const record = records.get(context) ?? beginRecord({ requestId, sourceIp: identity.sourceIp });
    records.set(context, record);
    return record;
  };
}

type WriteError = Api['writeError'];

/** Begins and ends the record of a call. Everything thrown is answered by `onError`, in the API's form. */
const recording = (recordOf: ReturnType<typeof recordsOf>, writeError: WriteError) => ({
  // The hooks return nothing: Middy would take it for the response.
  before: (request: Request) => {
    recordOf(request);
  },
  after: (request: Request) => {
    recordOf(request).end(request.response?.statusCode);
  },
  onError: (request: Request) => {
    const error = proxyErrorOf(request.error);
    request.response = writeError(error, request.event.requestContext.requestId);
    recordOf(request).end(request.response.statusCode, error);
  },
});

type Serve = (
  event: APIGatewayProxyEvent,
  call: Pick<IncomingCall, 'headers' | 'abortSignal' | 'record'>,
) => Promise<APIGatewayProxyResult>;

/** A handler around a function that serves an event. */
function handlerOf(services: FunctionServices, writeError: WriteError, serveEvent: Serve): Handler {
  const recordOf = recordsOf(services.beginRecord);
  return middy<APIGatewayProxyEvent, APIGatewayProxyResult>(early)
    .use(captureLambdaHandler(services.tracer, { captureResponse: false }))
    .use(recording(recordOf, writeError))
    .use(headerNormalizer())
    .handler((event, context, { signal: abortSignal }) => {
      const record = recordOf({ event, context });
      return serveEvent(event, { headers: event.headers, abortSignal, record });
    });
}

const apiHandler = (api: Api, services: FunctionServices): Handler =>
  handlerOf(services, api.writeError, async (event, caller) => {
    const call = api.find(event);
    caller.record.serves(call.operation);
    const incoming = {
      ...call,
      ...caller,
      readMembers: () => readEventMembers(event, requestRules(call, api)),
      refusesUnknownMembers: api.refusesUnknownMembers,
    };
    return api.writeOutput(call.operation, await serve(incoming, services));
  });

/** The handler of one operation's function, in the resource API. */
export const resourceHandler = (operation: OperationName, services: FunctionServices): Handler =>
  apiHandler(resourceApi(operation), services);

/** The handler of the AWS API's function, for every operation. */
export const awsHandler = (services: FunctionServices): Handler =>
  apiHandler(awsApi(services.registries), services);

/** The handler of the function that exchanges tokens, in the resource API. A body is not read: the exchange has none. */
export const sessionTokenHandler = (services: FunctionServices): Handler =>
  handlerOf(services, writeProblem, async (_event, caller) => {
    caller.record.serves(sessionTokenExchange.name);
    return writeJson(sessionTokenExchange.status, await exchange(caller, services));
  });

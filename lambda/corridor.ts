// Middy's edge around the corridor: a Lambda event becomes a call, and what comes of it the door's answer.

import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import middy, { type MiddyfiedHandler } from '@middy/core';
import headerNormalizer from '@middy/http-header-normalizer';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { answerReserveMs } from '../api/limits.ts';
import type { OperationName } from '../api/operations.ts';
import { ProxyError } from '../api/proxy-error.ts';
import { sessionTokenExchange } from '../api/session-tokens.ts';
import { awsDoor, type Door, resourceDoor, writeJson, writeProblem } from './doors.ts';
import { readEventMembers, requestRules } from './event-members.ts';
import type { FunctionServices } from './function-services.ts';
import type { IncomingCall } from './incoming-call.ts';
import { proxyErrorOf } from './proxy-error.ts';
import { exchange, serve } from './serve.ts';
import type { BeginRecord, CallRecord } from './telemetry/call-record.ts';

/** What Lambda invokes. */
export type Handler = MiddyfiedHandler<APIGatewayProxyEvent, APIGatewayProxyResult>;

type Request = middy.Request<APIGatewayProxyEvent, APIGatewayProxyResult>;

/** Ends an invocation that is about to outlast its time, so that the client gets our 504. */
const early = {
  timeoutEarlyInMillis: answerReserveMs,
  timeoutEarlyResponse: () => {
    throw new ProxyError('GatewayTimeoutException');
  },
};

/** By Lambda's context, which each invocation has of its own, where Middy hands nothing else to its handler. */
function recordsOf(beginRecord: BeginRecord) {
  const records = new WeakMap<object, CallRecord>();
  return ({ event, context }: Pick<Request, 'event' | 'context'>): CallRecord => {
    const { requestId, identity } = event.requestContext;
    const record = records.get(context) ?? beginRecord({ requestId, sourceIp: identity.sourceIp });
    records.set(context, record);
    return record;
  };
}

type WriteError = Door['writeError'];

/** Begins and ends the record of a call. Whatever is thrown leaves through `onError`, in the API's form. */
const recording = (recordOf: ReturnType<typeof recordsOf>, writeError: WriteError) => ({
  // They return nothing: Middy takes what a hook returns for the response.
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

/** Makes a handler of what serves an event. */
function edge(services: FunctionServices, writeError: WriteError, serveEvent: Serve): Handler {
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

/** Makes the handler of a door. */
export const corridor = (door: Door, services: FunctionServices): Handler =>
  edge(services, door.writeError, async (event, caller) => {
    const call = door.find(event);
    caller.record.serves(call.operation);
    const incoming = {
      ...call,
      ...caller,
      readMembers: () => readEventMembers(event, requestRules(call, door)),
      refusesUnknownMembers: door.refusesUnknownMembers,
    };
    return door.writeOutput(call.operation, await serve(incoming, services));
  });

/** The handler of one operation's function, at door 1. */
export const resourceHandler = (operation: OperationName, services: FunctionServices): Handler =>
  corridor(resourceDoor(operation), services);

/** The handler of the AWS door's function, for every operation. */
export const awsHandler = (services: FunctionServices): Handler =>
  corridor(awsDoor(services.registries), services);

/** The handler of the function that exchanges tokens, in the resource API. A body has nothing to say, and is not read. */
export const sessionTokenHandler = (services: FunctionServices): Handler =>
  edge(services, writeProblem, async (_event, caller) => {
    caller.record.serves(sessionTokenExchange.name);
    return writeJson(sessionTokenExchange.status, await exchange(caller, services));
  });

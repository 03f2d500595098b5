// The corridor: every request takes the same five steps, in this order, inside Middy's edge.

import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import middy, { type MiddyfiedHandler } from '@middy/core';
import headerNormalizer from '@middy/http-header-normalizer';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { awsDoor, type Door, resourceDoor } from './doors.ts';
import { ProxyError } from './errors.ts';
import { answerReserveMs } from './limits.ts';
import type { OperationName } from './operations.ts';
import { describeFailure, openServices, type Services } from './services.ts';
import { authenticate } from './steps/authenticate.ts';
import { authorize } from './steps/authorize.ts';
import { forward } from './steps/forward.ts';
import { proxyErrorOf, respond, respondError } from './steps/respond.ts';
import { validate } from './steps/validate.ts';

/** What Lambda invokes. */
export type Handler = MiddyfiedHandler<APIGatewayProxyEvent, APIGatewayProxyResult>;

/** Ends an invocation that is about to outlast its time, so that the client gets our 504. */
const early = {
  timeoutEarlyInMillis: answerReserveMs,
  timeoutEarlyResponse: () => {
    throw new ProxyError('GatewayTimeoutException');
  },
};

/** The error exit: whatever is thrown in the corridor leaves through here, logged and in the door's form. */
const errorExit = ({ logger, meter }: Services, door: Door) => ({
  onError: (request: middy.Request<APIGatewayProxyEvent, APIGatewayProxyResult>) => {
    const error = proxyErrorOf(request.error);
    const { code, message: detail, cause } = error;
    const level = code === 'InternalFailure' ? 'error' : 'info';
    logger[level]('refused', { code, detail, ...(cause ? { cause: describeFailure(cause) } : {}) });
    meter.refused(code);
    request.response = respondError(door, error, request.event.requestContext.requestId);
  },
});

/** Every line of a request's log carries its id. */
const requestLog = ({ logger, meter }: Services) => {
  // Returns nothing: Middy takes what a hook returns for the response.
  const publish = () => meter.publish();
  return {
    before: ({ event }: middy.Request<APIGatewayProxyEvent>) => {
      logger.resetKeys();
      logger.appendKeys({ requestId: event.requestContext.requestId });
      meter.begin();
    },
    after: publish,
    onError: publish,
  };
};

/** Makes the handler of a door; its services are opened once, in Lambda's init phase. */
export const corridor = (door: Door, services: Services = openServices()): Handler =>
  middy<APIGatewayProxyEvent, APIGatewayProxyResult>(early)
    .use(captureLambdaHandler(services.tracer, { captureResponse: false }))
    .use(requestLog(services))
    .use(errorExit(services, door))
    .use(headerNormalizer())
    .handler(async (event, context, { signal }) => {
      const call = door.find(event);
      services.meter.serves(call.operation);
      services.logger.appendKeys({ operation: call.operation });
      const principal = await authenticate(event.headers, services.tokens);
      services.logger.appendKeys({ principal: `${principal.type}::${principal.id}` });
      const input = await validate(event, context, door, call);
      const permit = await authorize(principal, input, services.authority);
      const output = await forward(permit, { ...services.upstream, abortSignal: signal });
      return respond(door, call.operation, output);
    });

/** The handler of one operation's function, at door 1. */
export const resourceHandler = (operation: OperationName, services?: Services): Handler =>
  corridor(resourceDoor(operation), services);

/** The handler of the AWS door's function, for every operation. */
export const awsHandler = (services = openServices()): Handler =>
  corridor(awsDoor(services.registries), services);

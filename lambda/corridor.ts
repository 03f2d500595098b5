// The corridor: every request takes the same five steps, in this order, inside Middy's edge.

import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import middy, { type MiddyfiedHandler } from '@middy/core';
import headerNormalizer from '@middy/http-header-normalizer';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { ProxyError } from '../api/errors.ts';
import { answerReserveMs } from '../api/limits.ts';
import type { OperationName } from '../api/operations.ts';
import { awsDoor, type Door, resourceDoor } from './doors.ts';
import { openServices, type Services } from './services.ts';
import { authenticate } from './steps/authenticate.ts';
import { authorize } from './steps/authorize.ts';
import { forward } from './steps/forward.ts';
import { proxyErrorOf, respond, respondError } from './steps/respond.ts';
import { validate } from './steps/validate.ts';
import { AuditLine } from './telemetry/audit-line.ts';
import { describeFailure } from './telemetry/failures.ts';

/** What Lambda invokes. */
export type Handler = MiddyfiedHandler<APIGatewayProxyEvent, APIGatewayProxyResult>;

/** Ends an invocation that is about to outlast its time, so that the client gets our 504. */
const early = {
  timeoutEarlyInMillis: answerReserveMs,
  timeoutEarlyResponse: () => {
    throw new ProxyError('GatewayTimeoutException');
  },
};

/**
 * By Lambda's context: an invocation that was given up may go on amid the next, and must not write into its line.
 */
const lines = new WeakMap<object, AuditLine>();

/** The error exit: whatever is thrown in the corridor leaves through here, in the door's form. */
const errorExit = ({ meter }: Services, door: Door) => ({
  onError: (request: middy.Request<APIGatewayProxyEvent, APIGatewayProxyResult>) => {
    const error = proxyErrorOf(request.error);
    const { code, message: detail, cause } = error;
    lines.get(request.context)?.add({ code, detail, ...(cause ? { cause: describeFailure(cause) } : {}) });
    meter.refused(code);
    request.response = respondError(door, error, request.event.requestContext.requestId);
  },
});

/** One line for each request, at its end, and the metrics beside it. */
const audit = ({ logger, meter }: Services) => {
  // Returns nothing: Middy takes what a hook returns for the response.
  const end = ({ response, context }: middy.Request<APIGatewayProxyEvent, APIGatewayProxyResult>) => {
    lines.get(context)?.write(logger, response?.statusCode);
    meter.publish();
  };
  return {
    before: ({ event, context }: middy.Request<APIGatewayProxyEvent>) => {
      lines.set(context, new AuditLine(event));
      logger.resetKeys();
      // For what is warned of meanwhile.
      logger.appendKeys({ requestId: event.requestContext.requestId });
      meter.begin();
    },
    after: end,
    onError: end,
  };
};

/** Makes the handler of a door; its services are opened once, in Lambda's init phase. */
export const corridor = (door: Door, services: Services = openServices()): Handler =>
  middy<APIGatewayProxyEvent, APIGatewayProxyResult>(early)
    .use(captureLambdaHandler(services.tracer, { captureResponse: false }))
    .use(audit(services))
    .use(errorExit(services, door))
    .use(headerNormalizer())
    .handler(async (event, context, { signal }) => {
      const line = lines.get(context) ?? new AuditLine(event);
      const call = door.find(event);
      services.meter.serves(call.operation);
      line.add({ operation: call.operation });
      const principal = await authenticate(event.headers, services.tokens);
      // An invocation that was given up ends here, and not in the midst of the next.
      signal.throwIfAborted();
      line.add({ principal: `${principal.type}::${principal.id}` });
      const input = validate(event, door, call);
      const permit = await authorize(principal, input, services.authority, line.add);
      signal.throwIfAborted();
      const output = await forward(permit, { ...services.upstream, abortSignal: signal });
      return respond(door, call.operation, output);
    });

/** The handler of one operation's function, at door 1. */
export const resourceHandler = (operation: OperationName, services?: Services): Handler =>
  corridor(resourceDoor(operation), services);

/** The handler of the AWS door's function, for every operation. */
export const awsHandler = (services = openServices()): Handler =>
  corridor(awsDoor(services.registries), services);

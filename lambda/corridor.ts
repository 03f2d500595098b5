// The corridor: every request takes the same five steps, in this order, inside Middy's edge.

import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import middy, { type MiddyfiedHandler } from '@middy/core';
import headerNormalizer from '@middy/http-header-normalizer';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { ProxyError } from './errors.ts';
import { answerReserveMs } from './limits.ts';
import type { OperationName } from './operations.ts';
import { describeFailure, openServices, type Services } from './services.ts';
import { authenticate } from './steps/authenticate.ts';
import { authorize } from './steps/authorize.ts';
import { forward } from './steps/forward.ts';
import { proxyErrorOf, respond, respondProblem } from './steps/respond.ts';
import { validate } from './steps/validate.ts';

/** The handler of one operation's function. */
export type Handler = MiddyfiedHandler<APIGatewayProxyEvent, APIGatewayProxyResult>;

/** Ends an invocation that is about to outlast its time, so that the client gets our 504. */
const early = {
  timeoutEarlyInMillis: answerReserveMs,
  timeoutEarlyResponse: () => {
    throw new ProxyError('GatewayTimeoutException');
  },
};

/** The error door: whatever is thrown in the corridor leaves through here, logged and as a problem document. */
const errorDoor = ({ logger, metrics }: Services) => ({
  onError: (request: middy.Request<APIGatewayProxyEvent, APIGatewayProxyResult>) => {
    const error = proxyErrorOf(request.error);
    const { code } = error;
    logger[code === 'InternalFailure' ? 'error' : 'info']('refused', {
      code,
      failure: describeFailure(error),
    });
    metrics.addMetric(code, MetricUnit.Count, 1);
    request.response = respondProblem(error, request.event.requestContext.requestId);
  },
});

/** Every line of a request's log carries its id. */
const requestLog = ({ logger, metrics }: Services, operation: OperationName) => {
  // Returns nothing: Middy takes what a hook returns for the response.
  const publish = () => {
    metrics.publishStoredMetrics();
  };
  return {
    before: ({ event }: middy.Request<APIGatewayProxyEvent>) => {
      logger.resetKeys();
      logger.appendKeys({ requestId: event.requestContext.requestId, operation });
      metrics.addDimension('operation', operation);
      metrics.addMetric('Requests', MetricUnit.Count, 1);
    },
    after: publish,
    onError: publish,
  };
};

/** Makes the handler of an operation; its services are opened once, in Lambda's init phase. */
export const corridor = (operation: OperationName, services: Services = openServices()): Handler =>
  middy<APIGatewayProxyEvent, APIGatewayProxyResult>(early)
    .use(captureLambdaHandler(services.tracer, { captureResponse: false }))
    .use(requestLog(services, operation))
    .use(errorDoor(services))
    .use(headerNormalizer())
    .handler(async (event, context, { signal }) => {
      const principal = await authenticate(event.headers, services.readSecret);
      const input = await validate(event, context, operation);
      const permit = await authorize(principal, input, services.authority);
      const output = await forward(permit, { ...services.upstream, abortSignal: signal });
      return respond(operation, output);
    });

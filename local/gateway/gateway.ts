// The local API Gateway: an HTTP server with the routes, the limits and the habits of a REST API.

import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { finished } from 'node:stream';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import pLimit from 'p-limit';
import { integrationTimeoutMs, maxEventBytes } from '../../api/limits.ts';
import type { Account } from '../account.ts';
import { loopback, urlOf } from '../address.ts';
import { InvocationThrottled, type Invoke } from '../lambda/invocation.ts';
import type { LocalTemplate } from '../template/template.ts';
import { readBody, tooLarge } from './body.ts';
import { GatewayFaults, gatewayFaultsPath } from './faults.ts';
import { headerBytes, maxHeaderBytes, pairHeaders } from './headers.ts';
import { type GatewayRequest, proxyEvent } from './proxy-event.ts';
import { functionResponse } from './proxy-response.ts';
import { type GatewayResponse, gatewayResponder, type HttpResponse } from './responses.ts';
import { type Match, router } from './routes.ts';

/** A request's body is in memory from when it is read. Further requests wait unread, in their connections. */
const maxRequests = 16;

type GatewayOptions = {
  template: Pick<LocalTemplate, 'routes' | 'binaryMediaTypes' | 'gatewayResponses'>;
  account: Account;
  invoke: Invoke;
  /** 0 takes any free one. */
  port: number;
  /** Shorter in tests only. */
  timeoutMs?: number;
  /** Fewer in tests only. */
  requestsAtOnce?: number;
  /** Takes one line for each request. */
  log?: (line: string) => void;
};

/** Serves without a stage in the path, as an API behind a custom domain does. */
export async function startGateway(options: GatewayOptions) {
  const { port, template, account, invoke, timeoutMs = integrationTimeoutMs } = options;
  const inTurn = pLimit(options.requestsAtOnce ?? maxRequests);
  const match = router(template.routes);
  const respond = gatewayResponder(template);
  const faults = new GatewayFaults();
  const { binaryMediaTypes } = template;

  const integrate = async (request: GatewayRequest, matched: Match): Promise<HttpResponse> => {
    const event = JSON.stringify(proxyEvent(request, matched, { binaryMediaTypes, account }));
    const refuse = (name: GatewayResponse) => respond(name, request.requestId);
    if (Buffer.byteLength(event) >= maxEventBytes) {
      return refuse('REQUEST_TOO_LARGE');
    }
    const accept = request.headers.find(([name]) => name.toLowerCase() === 'accept')?.[1];
    const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
    let timer: NodeJS.Timeout | undefined;
    // The function does not notice: on AWS, too, it runs until its own timeout.
    const begins = () => {
      timer = setTimeout(() => resolve(refuse('INTEGRATION_TIMEOUT')), timeoutMs);
    };
    invoke(matched.route.functionName, event, begins)
      .then(
        (payload) => functionResponse(payload, accept, binaryMediaTypes) ?? refuse('DEFAULT_5XX'),
        (error) => refuse(error instanceof InvocationThrottled ? 'INTEGRATION_FAILURE' : 'DEFAULT_5XX'),
      )
      .finally(() => clearTimeout(timer))
      .then(resolve, reject);
    return promise;
  };

  const answer = async (request: GatewayRequest, matched: Match | undefined): Promise<HttpResponse> => {
    const requestLine = `${request.method} ${request.path}?${request.query} HTTP/1.1`;
    if (headerBytes(requestLine, request.headers) > maxHeaderBytes) {
      return respond('headersTooLarge', request.requestId);
    }
    const fault = faults.strike();
    if (fault) {
      return respond(fault, request.requestId);
    }
    if (!matched) {
      return respond('MISSING_AUTHENTICATION_TOKEN', request.requestId);
    }
    return integrate(request, matched);
  };

  const serve = async (raw: FastifyRequest, reply: FastifyReply, refusal?: GatewayResponse) => {
    const request = readRequest(raw);
    const matched = match(request.method, request.path);
    const response = refusal ? respond(refusal, request.requestId) : await answer(request, matched);
    const elapsed = Math.round(Date.now() - request.receivedAt.getTime());
    const route = matched?.route.path ?? request.path;
    options.log?.(`${request.method} ${route} ${response.status} ${elapsed} ms ${request.requestId}`);
    return send(reply, request, response);
  };

  const app = fastify({
    forceCloseConnections: true,
    // Above the gateway's own limit, so that its answer is given and not Node.js's.
    http: { maxHeaderSize: 8 * maxHeaderBytes },
    // A path that cannot be decoded.
    frameworkErrors: (_error, request, reply) => void serve(request, reply, 'DEFAULT_4XX'),
  });
  app.addHook('onRequest', async (_request, reply) => {
    const turn = Promise.withResolvers<void>();
    void inTurn(async () => {
      turn.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      // Answered, or the client has gone away.
      finished(reply.raw, () => resolve());
      await promise;
    });
    await turn.promise;
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', async (_request: FastifyRequest, payload: IncomingMessage) =>
    readBody(payload),
  );
  // No route of fastify's but the control path: its router would decode and shorten paths before the tree sees them.
  app.setNotFoundHandler((request, reply) =>
    // The client may still be sending.
    request.body === tooLarge
      ? serve(request, reply.header('connection', 'close'), 'payloadTooLarge')
      : serve(request, reply),
  );
  app.all(gatewayFaultsPath, (request, reply) => {
    const { status, body } = faults.control(request.method, bufferOf(request.body));
    return reply.code(status).send(body);
  });
  await app.listen({ host: loopback, port });
  return { url: urlOf(app.server), close: () => app.close() };
}

const bufferOf = (body: unknown) => (Buffer.isBuffer(body) && body.length > 0 ? body : undefined);

function readRequest({ raw, body, ip }: FastifyRequest): GatewayRequest {
  const [path = '/', ...query] = (raw.url ?? '/').split('?');
  return {
    method: raw.method ?? 'GET',
    path,
    query: query.join('?'),
    headers: pairHeaders(raw.rawHeaders),
    body: bufferOf(body),
    sourceIp: ip,
    requestId: randomUUID(),
    extendedRequestId: randomBytes(11).toString('base64'),
    receivedAt: new Date(),
  };
}

function send(reply: FastifyReply, request: GatewayRequest, { status, headers, body }: HttpResponse) {
  reply.code(status);
  reply.header('x-amzn-RequestId', request.requestId);
  reply.header('x-amz-apigw-id', request.extendedRequestId);
  for (const name of new Set(headers.map(([key]) => key))) {
    const values = headers.filter(([key]) => key === name).map(([, value]) => value);
    reply.header(name, values.length === 1 ? values[0] : values);
  }
  return reply.send(body);
}

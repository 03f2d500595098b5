// The two fronts of the OCI distribution API: the registry endpoint, and the bridge before the resource API.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import pLimit from 'p-limit';
import { answerReserveMs } from '../../api/limits.ts';
import type { Registry } from '../../api/registries.ts';
import { serveBridge } from '../../cli/bridge/serve.ts';
import { identitiesOf } from '../../client/bridge/identities.ts';
import { onceMore, patiently, type Retries } from '../../lambda/retries.ts';
import { closeServer, urlOf } from '../../local/address.ts';
import { startRegistryServer } from '../../registry/front/server.ts';
import { Unanswered } from '../../registry/hosted/answer-time.ts';
import { PartBuffers } from '../../registry/hosted/part-buffers.ts';
import { maxSends } from '../../registry/hosted/part-sender.ts';
import { maxManifestReads } from '../../registry/hosted/read-images.ts';
import { hostedRegistry } from '../../registry/hosted/registry.ts';
import { RequestRecords } from '../../registry/hosted/request-records.ts';
import { sessionTokenRoutes } from '../../registry/hosted/session-tokens.ts';
import { handlersOf, sendTo } from '../support/in-process.ts';
import type { Open, Reply, Serving } from './front.ts';
import { deathAnswer } from './function-death.ts';
import { registryAlias } from './layer.ts';
import { cut, type OciRequest, sendOci } from './oci-requests.ts';

const usualPatienceMs = 28_000;
const address = { host: '127.0.0.1', port: 0 };

/** As often as it takes to see that it is sent again. */
const twice: Retries = {
  maxAttempts: 2,
  retryStrategy: {
    ...patiently.retryStrategy,
    refreshRetryTokenForRetry: async (token, failure) => {
      if (token.getRetryCount() > 0) {
        throw failure.error;
      }
      return patiently.retryStrategy.refreshRetryTokenForRetry(token, failure);
    },
  },
};
const pauseMs = (attempt: number) => (attempt < 2 ? 0 : Number.POSITIVE_INFINITY);

/** As main.ts of the registry endpoint opens it, with patience that can be changed. */
async function startHosted(
  registry: Registry,
  open: Open,
  patience: { attemptMs: number; budgetMs: number; pauseMs: typeof pauseMs },
) {
  const services = open(twice);
  const records = new RequestRecords(services.beginRecord);
  const server = await startRegistryServer({
    address,
    registry,
    open: hostedRegistry({
      services,
      registry,
      records,
      buffers: new PartBuffers(),
      sends: pLimit(maxSends),
      manifestReads: pLimit(maxManifestReads),
      unanswered: new Unanswered(),
      patience,
      answerMs: usualPatienceMs,
      blobMode: 'redirect',
    }),
    otherRoutes: sessionTokenRoutes(services, records),
    bounds: { betweenUploadsMs: 0 },
    onServed: (served) => records.end(served),
  });
  return { server, death: Promise.withResolvers<Reply>() };
}

export async function serveHosted(registry: Registry, open: Open): Promise<Serving<OciRequest>> {
  const patience = { attemptMs: usualPatienceMs, budgetMs: 1_000_000, pauseMs };
  let instance = await startHosted(registry, open, patience);
  const dead: Promise<void>[] = [];
  return {
    connect: (token) => (request) =>
      Promise.race([instance.death.promise, sendOci(instance.server.url, token, request)]),
    setPatience: (ms) => {
      patience.attemptMs = ms;
    },
    kill: async () => {
      const { death, server } = instance;
      instance = await startHosted(registry, open, patience);
      death.resolve(cut);
      dead.push(server.close());
    },
    close: async () => {
      await Promise.all([instance.server.close(), ...dead]);
    },
  };
}

/**
 * API Gateway, as far as a bridge sees it: what a handler returns, and its own answer where the function has died. The bridge would
 * wait for as long as Retry-After says; here the time passes at once.
 */
async function startGateway(open: Open, passTime: (ms: number) => void) {
  const another = () => ({ handlers: handlersOf(open(onceMore)), death: Promise.withResolvers<Response>() });
  let instance = another();
  let timeoutMs = usualPatienceMs;
  let answers: (string | number)[] = [];
  const server = createServer(async (request, response) => {
    const { handlers, death } = instance;
    const { method = '', url = '', headers } = request;
    const body = await buffer(request);
    const sent = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
    const init = {
      method,
      headers: Object.fromEntries(sent),
      ...(body.length > 0 && { body: bodyOf(headers['content-type'], body) }),
    };
    const answer = await Promise.race([death.promise, sendTo(handlers, timeoutMs)(url, init)]);
    const { 'retry-after': seconds = 0, ...told } = Object.fromEntries(answer.headers);
    passTime(Number(seconds) * 1_000);
    const text = await answer.text();
    answers.push(answer.status, seconds, ...(text.match(refusedAs) ?? []));
    response.writeHead(answer.status, told).end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: urlOf(server),
    answers: () => answers.join(' '),
    forget: () => {
      answers = [];
    },
    setPatience: (ms: number) => {
      timeoutMs = answerReserveMs + ms;
    },
    kill: async () => {
      const { death } = instance;
      instance = another();
      death.resolve(deathAnswer());
    },
    close: () => closeServer(server),
  };
}

/** Of a problem document: what is refused, and where the upload is. */
const refusedAs = /"code":"\w+"|"lastValidByteReceived":\d+/g;

/** The handlers in this process take text as text. */
const bodyOf = (contentType: string | undefined, body: Buffer) =>
  contentType === 'application/octet-stream' ? new Uint8Array(body) : body.toString();

export async function serveThroughBridge(
  registry: Registry,
  open: Open,
  passTime: (ms: number) => void,
): Promise<Serving<OciRequest>> {
  const gateway = await startGateway(open, passTime);
  const bridge = await serveBridge({
    address,
    registry,
    registryId: registry === 'ecr-public' ? registryAlias : undefined,
    identities: identitiesOf({
      endpoint: gateway.url,
      registry,
      retry: { attempts: 2, baseMs: 0, capMs: 0 },
    }),
    bounds: { betweenUploadsMs: 0 },
    // Clients that were cut off come no more.
    uploads: { spareMs: 0 },
  });
  return {
    connect: (token) => (request) => {
      gateway.forget();
      return sendOci(bridge.url, token, request);
    },
    setPatience: gateway.setPatience,
    kept: gateway.answers,
    kill: gateway.kill,
    close: async () => {
      await bridge.close();
      await gateway.close();
    },
  };
}

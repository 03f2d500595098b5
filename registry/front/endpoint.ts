// The registry endpoint: the OCI distribution API over HTTP in front, the uploader behind it.

import type { IncomingMessage } from 'node:http';
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
} from 'fastify';
import type { Subject } from '../../api/oci.ts';
import { type Registry, registries } from '../../api/registries.ts';
import { BlobUploads } from '../../client/bridge/blob-uploads.ts';
import type { Identities } from '../../client/bridge/identities.ts';
import { admissionOf, type HostName } from './admission.ts';
import { secretOf } from './credentials.ts';
import type { Answer, RegistryState, Route } from './exchange.ts';
import { OciError, ociErrorOf } from './oci-errors.ts';
import { Pushed } from './pushed.ts';
import { routes } from './routes.ts';

/** A port of 0 takes any free one. A socket is its owner's alone. */
export type Address = { host: string; port: number } | { socket: string };

export type EndpointOptions = {
  address: Address;
  /** PEM. Without it the endpoint speaks plain HTTP. */
  tls?: { cert: string | Buffer; key: string | Buffer } | undefined;
  /** By which clients know it, beside the names of loopback, the address and the certificate. */
  hostNames?: readonly HostName[] | undefined;
  identities: Identities;
  /** Default `ecr`. */
  registry?: Registry;
  registryId?: string | undefined;
  /** Takes one line for each request: never a token or a query. */
  log?: (line: string) => void;
};

export type Endpoint = { url: string; close(): Promise<void> };

/** What every request needs. */
type Service = Pick<EndpointOptions, 'identities' | 'registryId' | 'log'> & {
  state: RegistryState;
  admit: (request: IncomingMessage) => void;
};

/** @throws the plain `EADDRINUSE` error when the port or the socket is taken */
export async function startEndpoint(options: EndpointOptions): Promise<Endpoint> {
  const { address, tls, hostNames, registry = 'ecr' } = options;
  const state: RegistryState = { registry, uploads: new BlobUploads(), pushed: new Pushed() };
  const listening = 'host' in address ? address.host : undefined;
  const admit = admissionOf({ listening, cert: tls?.cert, hostNames });
  const serve = serveWith({ ...options, state, admit });
  const app = fastify({
    ...(tls && { https: tls }),
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 1_000 },
    // Of a path that cannot be decoded: it matches no route of ours either.
    frameworkErrors: (_error, request, reply) => void serve(request, reply),
  });
  app.removeAllContentTypeParsers();
  // Bodies are for the handlers to read, as they come, whatever they call themselves.
  app.addContentTypeParser('*', (_request, _body, done) => done(null));
  app.setErrorHandler<FastifyError>((failure, request, reply) => {
    if (failure.code !== 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
      throw failure;
    }
    return serve(request, reply);
  });
  app.setNotFoundHandler(serve);
  const place = await listen(app, address);
  app.server.on('close', () => state.uploads.close());
  const close = async () => {
    state.uploads.close();
    await app.close();
  };
  return { url: 'socket' in address ? place : `${tls ? 'https' : 'http'}://${place}`, close };
}

/** @returns host and port, or the socket as `unix:` and its path */
async function listen(app: FastifyInstance, address: Address): Promise<string> {
  if ('socket' in address) {
    // From its first moment on, so that nobody slips in before its mode is set.
    const umask = process.umask(0o177);
    await app.listen({ path: address.socket }).finally(() => process.umask(umask));
    return `unix:${address.socket}`;
  }
  await app.listen(address);
  const bound = app.server.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : address.port;
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${port}`;
}

const serveWith =
  (service: Service) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const begunAtMs = performance.now();
    const answer = await answerTo(request, service);
    const took = `${Math.round(performance.now() - begunAtMs)} ms`;
    service.log?.(`${request.method} ${pathOf(request)} ${answer.status} ${took}`);
    return write(reply, request.method === 'HEAD', answer);
  };

const pathOf = ({ raw }: FastifyRequest): string => (raw.url ?? '/').split('?')[0] ?? '/';

async function answerTo(request: FastifyRequest, service: Service): Promise<Answer> {
  const path = decoded(pathOf(request));
  const route = routes.find(({ pattern }) => pattern.test(path));
  const subject: Subject = route?.subject ?? 'blob';
  try {
    return await dispatch(request, path, route, service);
  } catch (error) {
    const refused = ociErrorOf(error, subject);
    if (refused) {
      return refusal(refused);
    }
    service.log?.(`a fault of the bridge: ${error instanceof Error ? error.stack : error}`);
    return refusal(new OciError('UNKNOWN', 'a fault in the bridge: its log says more'));
  }
}

async function dispatch(
  request: FastifyRequest,
  path: string,
  route: Route | undefined,
  { state, admit, identities, registryId }: Service,
): Promise<Answer> {
  admit(request.raw);
  const identity = await identities(secretOf(request.raw));
  const handler = route?.methods[request.method];
  if (!route || !handler) {
    throw unsupported(route);
  }
  const { name, reference = '' } = route.pattern.exec(path)?.groups ?? {};
  return handler({
    ...state,
    identity,
    reference,
    isHead: request.method === 'HEAD',
    destination: {
      repositoryName: name === undefined ? '' : repositoryNameOf(name, state.registry),
      registryId,
    },
    query: new URL(request.raw.url ?? '/', 'http://registry').searchParams,
    headers: request.headers,
    body: bytesOf(request.raw),
  });
}

const unsupported = (route: Route | undefined): OciError =>
  new OciError('UNSUPPORTED', 'this registry takes pushes: it does not do this', {
    headers: route ? { allow: Object.keys(route.methods).join(', ') } : {},
  });

/** Left as it is when a handler stops reading: the connection is needed for the answer. */
const bytesOf = (raw: IncomingMessage): AsyncIterable<Uint8Array> => raw.iterator({ destroyOnReturn: false });

/** @throws OciError NAME_INVALID */
function repositoryNameOf(name: string, registry: Registry): string {
  const { pattern, minLength, maxLength } = registries[registry].repositoryName;
  if (name.length >= minLength && name.length <= maxLength && pattern.test(name)) {
    return name;
  }
  throw new OciError('NAME_INVALID', `${name} is no name of a repository in ECR, such as team-a/app`);
}

/** A path that cannot be decoded matches no route. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return '';
  }
}

/** It makes clients send their password, also those that have sent a wrong one. */
const challenge = { 'www-authenticate': 'Basic realm="ecr-upload-proxy"' } as const;

const refusal = ({ code, message, detail, headers, status }: OciError): Answer => ({
  status,
  headers: { ...(code === 'UNAUTHORIZED' && challenge), ...headers },
  body: { errors: [{ code, message, ...(detail && { detail }) }] },
});

/** Nothing that was pushed is ever taken for a web page. */
const standing = {
  'docker-distribution-api-version': 'registry/2.0',
  'x-content-type-options': 'nosniff',
} as const;

/** The only writer of answers. */
function write(reply: FastifyReply, isHead: boolean, { status, headers = {}, body }: Answer): FastifyReply {
  reply.code(status).headers({ ...standing, ...headers });
  if (body === undefined) {
    return reply.send();
  }
  const bytes = body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
  if (!(body instanceof Uint8Array)) {
    reply.header('content-type', 'application/json');
  }
  reply.header('content-length', bytes.length);
  return isHead ? reply.send() : reply.send(bytes);
}

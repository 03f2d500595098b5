// The registry endpoint: the OCI distribution API over HTTP in front, the uploader behind it.

import type { IncomingMessage } from 'node:http';
import { type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { type Registry, registries } from '../../lambda/registries.ts';
import { BlobUploads } from './blob-uploads.ts';
import type { Answer, Rooms, Route } from './exchange.ts';
import type { Identities, Identity } from './identities.ts';
import { OciError, ociErrorOf, ociStatuses, type Subject } from './oci-errors.ts';
import { Pushed } from './pushed.ts';
import { routes } from './routes.ts';

export type EndpointOptions = {
  /** 0 takes any free port. */
  address: { host: string; port: number };
  /** PEM. Without it the endpoint speaks plain HTTP. */
  tls?: { cert: string | Buffer; key: string | Buffer } | undefined;
  identities: Identities;
  /** Default `ecr`. */
  registry?: Registry;
  registryId?: string | undefined;
  /** Takes one line for each request: never a token or a query. */
  log?: (line: string) => void;
};

export type Endpoint = { url: string; close(): Promise<void> };

/** @throws the plain `EADDRINUSE` error when the port is taken */
export async function startEndpoint(options: EndpointOptions): Promise<Endpoint> {
  const { address, tls, registry = 'ecr', log } = options;
  const rooms: Rooms = { registry, uploads: new BlobUploads(), pushed: new Pushed() };
  const app = fastify({
    ...(tls && { https: tls }),
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 1_000 },
    frameworkErrors: (_error, _request, reply) =>
      void write(reply, false, refusal(new OciError('UNSUPPORTED', 'the path cannot be decoded'))),
  });
  app.removeAllContentTypeParsers();
  // Bodies are for the handlers to read, as they come.
  app.addContentTypeParser('*', (_request, _body, done) => done(null));
  app.setNotFoundHandler(async (request, reply) => {
    const begunAtMs = performance.now();
    const answer = await answerTo(request, rooms, options);
    log?.(
      `${request.method} ${pathOf(request)} ${answer.status} ${Math.round(performance.now() - begunAtMs)} ms`,
    );
    return write(reply, request.method === 'HEAD', answer);
  });
  await app.listen(address);
  app.server.on('close', () => rooms.uploads.close());
  const bound = app.server.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : address.port;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  const close = async () => {
    rooms.uploads.close();
    await app.close();
  };
  return { url: `${tls ? 'https' : 'http'}://${host}:${port}`, close };
}

const pathOf = ({ raw }: FastifyRequest): string => (raw.url ?? '/').split('?')[0] ?? '/';

async function answerTo(request: FastifyRequest, rooms: Rooms, options: EndpointOptions): Promise<Answer> {
  const path = decoded(pathOf(request));
  const route = routes.find(({ pattern }) => pattern.test(path));
  const subject: Subject = route?.subject ?? 'blob';
  try {
    return await dispatch(request, path, route, rooms, options);
  } catch (thrown) {
    const error = ociErrorOf(thrown, subject);
    if (error) return refusal(error);
    options.log?.(`a fault of the bridge: ${thrown instanceof Error ? thrown.stack : thrown}`);
    return refusal(new OciError('UNKNOWN', 'a fault in the bridge: its log says more'));
  }
}

async function dispatch(
  request: FastifyRequest,
  path: string,
  route: Route | undefined,
  rooms: Rooms,
  { identities, registryId }: EndpointOptions,
): Promise<Answer> {
  const identity = identityOf(request, identities);
  const handler = route?.methods[request.method];
  if (!route || !handler) throw unsupported(route);
  const { name, reference = '' } = route.pattern.exec(path)?.groups ?? {};
  return handler({
    ...rooms,
    identity,
    reference,
    isHead: request.method === 'HEAD',
    destination: {
      repositoryName: name === undefined ? '' : repositoryNameOf(name, rooms.registry),
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
  if (name.length >= minLength && name.length <= maxLength && pattern.test(name)) return name;
  throw new OciError('NAME_INVALID', `${name} is no name of a repository in ECR, such as team-a/app`);
}

/** @throws OciError UNAUTHORIZED with the challenge that makes clients send their password */
function identityOf({ headers }: FastifyRequest, identities: Identities): Identity {
  const identity = identities(passwordOf(headers.authorization));
  if (identity) return identity;
  throw new OciError('UNAUTHORIZED', 'log in with any user name, and your token as the password', {
    headers: challenge,
  });
}

const challenge = { 'www-authenticate': 'Basic realm="ecr-upload-proxy"' } as const;

/** The password of Basic, or the token of Bearer; the user's name means nothing. */
function passwordOf(authorization: string | undefined): string | undefined {
  const [, scheme = '', credentials = ''] = /^(\S+) +(\S+)$/.exec(authorization ?? '') ?? [];
  if (scheme.toLowerCase() === 'bearer') return credentials;
  if (scheme.toLowerCase() !== 'basic') return undefined;
  const password = Buffer.from(credentials, 'base64')
    .toString()
    .replace(/^[^:]*:/, '');
  return password || undefined;
}

/** A path that cannot be decoded matches no route. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return '';
  }
}

function refusal({ code, message, detail, headers }: OciError): Answer {
  return {
    status: ociStatuses[code],
    headers: { ...(code === 'UNAUTHORIZED' && challenge), ...headers },
    body: { errors: [{ code, message, ...(detail && { detail }) }] },
  };
}

/** The only writer of answers. */
function write(reply: FastifyReply, isHead: boolean, { status, headers = {}, body }: Answer): FastifyReply {
  reply.code(status).headers({ 'docker-distribution-api-version': 'registry/2.0', ...headers });
  if (body === undefined) return reply.send();
  const bytes = body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
  if (!(body instanceof Uint8Array)) reply.header('content-type', 'application/json');
  reply.header('content-length', bytes.length);
  return isHead ? reply.send() : reply.send(bytes);
}

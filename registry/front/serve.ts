// One request of an OCI client, from its headers to its answer.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ProxyError } from '../../api/proxy-error.ts';
import type { Registry } from '../../api/registries.ts';
import type { Caller, OpenRegistry } from '../port.ts';
import { refusal, write } from './answers.ts';
import type { Bounds } from './bounds.ts';
import { secretOf } from './credentials.ts';
import type { Answer, Route } from './exchange.ts';
import { ClientGone, IncomingBody } from './incoming-body.ts';
import type { ManifestMemory } from './manifest-memory.ts';
import { repositoryNameOf } from './names.ts';
import { OciError, ociErrorOf } from './oci-errors.ts';
import type { OtherRoute, Outcome } from './other-routes.ts';
import { routes } from './routes.ts';
import type { UploadSlots } from './upload-slots.ts';

/** What became of a request, for a log: never a token, a query or a body. */
export type Served = {
  readonly requestId: string;
  readonly sourceIp: string | undefined;
  readonly method: string;
  readonly path: string;
  /** Undefined where the client went away before it was answered. */
  readonly status: number | undefined;
  readonly ms: number;
  /** As the port calls it, once it is known. */
  readonly client: string | undefined;
  /** Of the error table, or else OCI's, where it was refused. */
  readonly code: string | undefined;
  /** What was thrown and is no refusal. */
  readonly fault: unknown;
};

/** What every request needs. */
export type Service = {
  readonly open: OpenRegistry;
  readonly registry: Registry;
  /** Throws ProxyError where this request is refused for every client. */
  readonly admit: (request: IncomingMessage) => void;
  readonly sourceIpOf: (request: IncomingMessage) => string | undefined;
  readonly otherRoutes: readonly OtherRoute[];
  readonly bounds: Bounds;
  readonly slots: UploadSlots;
  readonly manifestMemory: ManifestMemory;
  readonly isClosing: () => boolean;
  readonly onServed: (served: Served) => void;
};

type Request = {
  readonly raw: IncomingMessage;
  readonly method: string;
  readonly path: string;
  readonly body: IncomingBody;
  readonly caller: Omit<Caller, 'token'>;
  /** Told as soon as it is known. */
  readonly onClient: (client: string) => void;
  /** Done when the request is over: answered, and its connection free or closed. */
  readonly atEnd: (work: () => void) => void;
};

/** @param onFirstRead called when somebody wants the body */
export async function serve(
  raw: IncomingMessage,
  response: ServerResponse,
  service: Service,
  onFirstRead: () => void,
): Promise<void> {
  const begunAtMs = performance.now();
  const { bounds } = service;
  const requestId = randomUUID();
  const warnings: string[] = [];
  const gone = abortedWhenGone(response);
  const path = raw.url?.split('?', 1)[0] ?? '/';
  const method = raw.method ?? 'GET';
  const body = new IncomingBody(raw, bounds, onFirstRead);
  let client: string | undefined;
  const caller = {
    sourceIp: service.sourceIpOf(raw),
    userAgent: raw.headers['user-agent'],
    requestId,
    abortSignal: gone,
    warn: (text: string) => void warnings.push(text),
  };
  const onClient = (name: string) => {
    client = name;
  };
  const ending: (() => void)[] = [];
  const atEnd = (work: () => void) => void ending.push(work);
  let { answer, code, fault } = await outcomeOf(
    { raw, method, path, body, caller, onClient, atEnd },
    service,
  );
  const rest = body.drain();
  if (!gone.aborted) {
    const options = { isHead: method === 'HEAD', close: service.isClosing(), warnings, rest };
    await write(response, answer, { ...options, idleMs: bounds.idleMs }).catch((error: unknown) => {
      response.destroy();
      fault ??= error;
    });
  }
  whenClosed(response, () => {
    for (const end of ending) {
      end();
    }
  });
  const isGone = gone.aborted || fault instanceof ClientGone;
  service.onServed({
    requestId,
    sourceIp: caller.sourceIp,
    method,
    path,
    status: isGone ? undefined : answer.status,
    ms: Math.round(performance.now() - begunAtMs),
    client,
    code: isGone ? undefined : code,
    fault: isGone ? undefined : fault,
  });
}

function whenClosed(response: ServerResponse, work: () => void): void {
  if (response.closed) {
    work();
  } else {
    response.once('close', work);
  }
}

function abortedWhenGone(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) {
      gone.abort(new ClientGone('the client has gone away'));
    }
  });
  return gone.signal;
}

async function outcomeOf(request: Request, service: Service): Promise<Outcome> {
  const path = decoded(request.path);
  const { raw, method, caller } = request;
  const other = service.otherRoutes.find((one) => one.path === path)?.methods[method];
  const route = routes.find(({ pattern }) => pattern.test(path));
  try {
    if (other) {
      return await other({ ...caller, headers: raw.headers });
    }
    return { answer: await dispatch(request, path, route, service) };
  } catch (error) {
    const { told, ...reason } = refusedWith(error, route, route?.pattern.exec(path)?.groups?.name);
    if (method === 'HEAD' && !expectedOfHead.has(told.status)) {
      caller.warn(told.message);
    }
    return { answer: refusal(told), ...reason };
  }
}

/**
 * An answer to HEAD has no body. That there is nothing, or that a password is wanted, is the answer; the reason of any
 * other refusal goes along as a `Warning`, which podman, skopeo, buildah, regctl and containerd show.
 */
const expectedOfHead: ReadonlySet<number> = new Set([401, 404]);

async function dispatch(
  { raw, method, body, caller, onClient, atEnd }: Request,
  path: string,
  route: Route | undefined,
  service: Service,
): Promise<Answer> {
  const { registry, slots } = service;
  service.admit(raw);
  const port = await service.open({ ...caller, token: secretOf(raw) });
  onClient(port.client);
  const handler = route?.methods[method];
  if (!route || !handler) {
    throw unsupported(route);
  }
  const { name, reference = '' } = route.pattern.exec(path)?.groups ?? {};
  return handler({
    port,
    slots,
    isClosing: service.isClosing(),
    warn: caller.warn,
    holdManifest: (bytes) => atEnd(service.manifestMemory.take(port.client, bytes)),
    repositoryName: name === undefined ? '' : repositoryNameOf(name, registry),
    reference,
    query: new URLSearchParams(raw.url?.split('?').slice(1).join('?')),
    headers: raw.headers,
    body,
  });
}

const unsupported = (route: Route | undefined): OciError =>
  new OciError('UNSUPPORTED', 'this registry does not do this', {
    headers: route ? { allow: Object.keys(route.methods).join(', ') } : {},
  });

/** The one place where what was thrown becomes an answer. */
function refusedWith(
  error: unknown,
  route: Route | undefined,
  repositoryName?: string,
): Pick<Outcome, 'code' | 'fault'> & { readonly told: OciError } {
  const subject = route?.subject ?? 'blob';
  if (error instanceof OciError) {
    const { cause } = error;
    return { told: error, code: cause instanceof ProxyError ? cause.code : error.code };
  }
  if (error instanceof ProxyError) {
    return { told: ociErrorOf(error, subject, repositoryName), code: error.code };
  }
  return { told: new OciError('UNKNOWN', 'a fault of this registry: its log says more'), fault: error };
}

/** A path that cannot be decoded matches no route. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return '';
  }
}

// A proxy on loopback that behaves as an Application Load Balancer is documented to: its clocks, limits and own errors.

import { once } from 'node:events';
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { closeServer, urlOf } from '../../local/address.ts';
import { type Target, Targets } from './balancer-targets.ts';

/** An error that the balancer answers by itself; after `lost` the target has done what was asked. */
export type Fault = { status: 408 | 502 | 503 | 504; lost: boolean };

export type LoadBalancerOptions = {
  /** Of connections to clients and to targets, idle or amid a request: 60 s by default at an ALB. */
  idleMs: number;
  /** What is to go wrong with a request. */
  faultOf?: (request: IncomingMessage) => Fault | undefined;
  /**
   * What becomes of a body when its target has answered already. AWS says nothing about it. `read`: it is passed on to
   * its end; `cut`: the client's connection is closed with the answer.
   */
  restOfBody?: 'read' | 'cut';
};

/** Source: Application Load Balancer quotas, "HTTP headers". The lines of a request and of each of its headers. */
const maxLineBytes = 16_384;

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Time-out',
  502: 'Bad Gateway',
  503: 'Service Temporarily Unavailable',
  504: 'Gateway Time-out',
};

function htmlOf(status: number): string {
  const text = `${status} ${titles[status]}`;
  return `<html>\r\n<head><title>${text}</title></head>\r\n<body>\r\n<center><h1>${text}</h1></center>\r\n</body>\r\n</html>\r\n`;
}

const isTooLong = ({ method = '', url = '', rawHeaders }: IncomingMessage): boolean =>
  [`${method} ${url} HTTP/1.1`, ...pairsOf(rawHeaders).map((pair) => pair.join(': '))].some(
    (line) => line.length > maxLineBytes,
  );

function pairsOf(rawHeaders: readonly string[]): [name: string, value: string][] {
  return rawHeaders.flatMap((name, at): [string, string][] =>
    at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? '']] : [],
  );
}

/** Connections are its own on either side, so that their headers go no further; the framing of a body does. */
function headersFor(incoming: IncomingMessage): Record<string, string | string[]> {
  const { connection: _, 'keep-alive': __, ...headers } = incoming.headersDistinct;
  const before = headers['x-forwarded-for'] ?? [];
  return {
    ...Object.fromEntries(Object.entries(headers).map(([name, values = []]) => [name, values])),
    host: incoming.headers.host ?? '',
    'x-forwarded-for': [...before, incoming.socket.remoteAddress ?? ''].join(', '),
    'x-forwarded-proto': 'https',
    'x-forwarded-port': '443',
  };
}

/** What the balancer cannot read at all. */
function refuseUnreadable(_error: Error, socket: Duplex): void {
  const html = htmlOf(400);
  const lines = ['HTTP/1.1 400 Bad Request', 'Server: awselb/2.0', 'Content-Type: text/html'];
  socket.end([...lines, `Content-Length: ${html.length}`, 'Connection: close', '', html].join('\r\n'));
}

/** By hand: once it has an answer, Node.js's client tells no pipe any more that its connection has room again. */
function passOn(incoming: IncomingMessage, outgoing: ClientRequest): void {
  incoming
    .unpipe(outgoing)
    .on('data', (chunk: Buffer) => outgoing.write(chunk))
    .on('end', () => outgoing.end())
    .resume();
}

/** Before `targets`, http URLs on this machine: each request goes to another one. */
export async function startLoadBalancer(
  targetUrls: string | readonly string[],
  { idleMs, faultOf, restOfBody = 'read' }: LoadBalancerOptions,
) {
  const targets = new Targets(idleMs);
  for (const url of [targetUrls].flat()) {
    targets.register(url);
  }
  /** How often it has answered by itself, by status; 460 is a client that went away. */
  const answered = new Map<number, number>();
  const count = (status: number) => answered.set(status, (answered.get(status) ?? 0) + 1);

  function answerHtml(response: ServerResponse, status: number): void {
    if (response.destroyed || response.writableEnded) {
      return;
    }
    count(status);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.writeHead(status, { server: 'awselb/2.0', 'content-type': 'text/html' }).end(htmlOf(status));
  }

  function pass(incoming: IncomingMessage, response: ServerResponse): void {
    const fault = faultOf?.(incoming);
    const target = targets.next();
    if (isTooLong(incoming) || !target || (fault && !fault.lost)) {
      const status = isTooLong(incoming) ? 400 : (fault?.status ?? 503);
      incoming.resume();
      answerHtml(response, status);
      return;
    }
    passTo(target, incoming, response, fault);
  }

  function passTo(
    { url, agent }: Target,
    incoming: IncomingMessage,
    response: ServerResponse,
    fault?: Fault,
  ) {
    const outgoing = request(new URL(incoming.url ?? '/', url), {
      agent,
      method: incoming.method ?? 'GET',
      headers: headersFor(incoming),
    });
    outgoing.once('socket', (socket) => targets.use(socket));
    const stalled = () => {
      answerHtml(response, incoming.complete ? 504 : 408);
      outgoing.destroy();
    };
    incoming.socket.setTimeout(idleMs).once('timeout', stalled);
    let isAnswered = false;
    outgoing.on('error', () => {
      if (isAnswered) {
        response.end();
      } else {
        answerHtml(response, 502);
      }
    });
    outgoing.on('response', (answer) => {
      if (fault) {
        answer.resume().on('end', () => answerHtml(response, fault.status));
        return;
      }
      const { connection: _, 'keep-alive': __, ...headers } = answer.headers;
      response.writeHead(answer.statusCode ?? 502, headers);
      answer.pipe(response, { end: false });
      answer
        .on('end', () => {
          isAnswered = true;
          if (incoming.complete || restOfBody === 'cut') {
            response.end();
          } else {
            passOn(incoming, outgoing);
            incoming.once('end', () => response.end());
          }
        })
        .on('error', () => response.destroy());
    });
    response.on('close', () => {
      incoming.socket.off('timeout', stalled);
      if (!incoming.complete) {
        count(460);
        outgoing.destroy();
      }
    });
    incoming.on('error', () => outgoing.destroy());
    incoming.pipe(outgoing);
  }

  const server = createServer(
    { maxHeaderSize: 4 * maxLineBytes, keepAliveTimeout: idleMs, requestTimeout: 0 },
    pass,
  );
  server.on('clientError', refuseUnreadable).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: urlOf(server),
    idleEnds: targets.idleEnds,
    answered: (status: number) => answered.get(status) ?? 0,
    register: (url: string) => targets.register(url),
    deregister: (url: string, delayMs: number) => targets.deregister(url, delayMs),
    close: async () => {
      targets.close();
      await closeServer(server);
    },
  };
}

export type LoadBalancer = Awaited<ReturnType<typeof startLoadBalancer>>;

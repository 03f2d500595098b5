// A proxy on loopback that behaves as an Application Load Balancer is documented to: its clocks, limits and own errors.

import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { closeServer, urlOf } from '../../local/address.ts';

/** An error that the balancer answers by itself; after `lost` the target has done what was asked. */
export type Fault = { status: 502 | 503 | 504; lost: boolean };

export type LoadBalancerOptions = {
  /** Of connections to clients and to the target, idle or amid a request: 60 s by default at an ALB. */
  idleMs: number;
  /** What is to go wrong with a request. */
  faultOf?: (request: IncomingMessage) => Fault | undefined;
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

function answerHtml(response: ServerResponse, status: number): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const text = `${status} ${titles[status]}`;
  const html = `<html>\r\n<head><title>${text}</title></head>\r\n<body>\r\n<center><h1>${text}</h1></center>\r\n</body>\r\n</html>\r\n`;
  response.writeHead(status, { server: 'awselb/2.0', 'content-type': 'text/html' }).end(html);
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

/** Keeps connections as long as it likes: the balancer does not ask the target how long it will. */
class Connections extends Agent {
  override keepSocketAlive(): boolean {
    return true;
  }
}

/** Before `target`, an http URL on this machine. */
export async function startLoadBalancer(target: string, { idleMs, faultOf }: LoadBalancerOptions) {
  const agent = new Connections({ keepAlive: true });
  /** Connections to the target that wait for a request, and how they ended. */
  const waiting = new Set<Socket>();
  const watched = new WeakSet<Socket>();
  const idleEnds = { byBalancer: 0, byTarget: 0 };
  agent.on('free', (socket: Socket) => {
    waiting.add(socket);
    socket.removeAllListeners('timeout').setTimeout(idleMs, () => {
      idleEnds.byBalancer += 1;
      waiting.delete(socket);
      socket.destroy();
    });
    if (!watched.has(socket)) {
      watched.add(socket);
      socket.once('close', () => {
        idleEnds.byTarget += waiting.delete(socket) ? 1 : 0;
      });
    }
  });

  function pass(incoming: IncomingMessage, response: ServerResponse): void {
    const fault = faultOf?.(incoming);
    if (isTooLong(incoming) || (fault && !fault.lost)) {
      incoming.resume();
      answerHtml(response, fault?.status ?? 400);
      return;
    }
    const outgoing = request(new URL(incoming.url ?? '/', target), {
      agent,
      method: incoming.method ?? 'GET',
      headers: headersFor(incoming),
    });
    outgoing.once('socket', (socket) => {
      waiting.delete(socket);
      socket.removeAllListeners('timeout').setTimeout(0);
    });
    const stalled = () => {
      answerHtml(response, incoming.complete ? 504 : 408);
      outgoing.destroy();
    };
    incoming.socket.setTimeout(idleMs).once('timeout', stalled);
    outgoing.on('error', () => answerHtml(response, 502));
    outgoing.on('response', (answer) => {
      if (fault) {
        answer.resume().on('end', () => answerHtml(response, fault.status));
        return;
      }
      const { connection: _, 'keep-alive': __, ...headers } = answer.headers;
      response.writeHead(answer.statusCode ?? 502, headers);
      answer.pipe(response);
    });
    response.on('close', () => {
      incoming.socket.off('timeout', stalled);
      if (!incoming.complete) {
        outgoing.destroy();
      }
    });
    incoming.on('error', () => outgoing.destroy());
    incoming.pipe(outgoing);
  }

  const server = createServer({ maxHeaderSize: 4 * maxLineBytes, keepAliveTimeout: idleMs }, pass);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: urlOf(server),
    idleEnds,
    close: async () => {
      agent.destroy();
      await closeServer(server);
    },
  };
}

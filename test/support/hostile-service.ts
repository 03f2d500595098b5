// A service of AWS's that at times answers as what stands in front of it does, or not at all; else its stand-in answers.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse, request as sendRequest } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { closeServer, urlOf } from '../../local/address.ts';

/** An answer, or how a connection ends instead of one. */
export type HostileAnswer =
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  /** Closed without an answer, in the middle of one, or after bytes that are no HTTP. */
  | 'silence'
  | 'cut'
  | 'noise';

/** Of AWS's JSON protocols the operation's name, of S3 the method. */
const operationOf = ({ headers, method = '' }: IncomingMessage): string =>
  String(headers['x-amz-target'] ?? method)
    .split('.')
    .at(-1) ?? '';

function answer(hostile: HostileAnswer, { socket, method }: IncomingMessage, response: ServerResponse) {
  if (hostile === 'silence') {
    socket.destroy();
  } else if (hostile === 'noise') {
    socket.end('220 mail.example.com ESMTP\r\n');
  } else if (hostile === 'cut') {
    response.writeHead(200, { 'content-length': 1_000 }).write('{"layers":');
    setImmediate(() => socket.destroy());
  } else {
    response.writeHead(hostile.status, hostile.headers).end(method === 'HEAD' ? undefined : hostile.body);
  }
}

/** @param target the stand-in's URL */
export async function startHostileService(target: string) {
  const armed = new Map<string, HostileAnswer>();
  let requests = 0;
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const hostile = armed.get(operationOf(request));
    if (hostile !== undefined) {
      requests += 1;
      answer(hostile, request, response);
      return;
    }
    const { method, headers, url = '/' } = request;
    const forwarded = sendRequest(new URL(url, target), { method, headers }, (answered) => {
      response.writeHead(answered.statusCode ?? 500, answered.headers);
      answered.pipe(response);
    });
    forwarded.on('error', () => request.socket.destroy());
    forwarded.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: urlOf(server),
    /** Every request for an operation is answered so until the next call, which forgets it. */
    arm: (operation: string, hostile: HostileAnswer) => {
      armed.clear();
      armed.set(operation, hostile);
      requests = 0;
    },
    disarm: () => armed.clear(),
    /** How many requests the last hostile answer was given to. */
    requests: () => requests,
    close: () => closeServer(server),
  };
}

export type HostileService = Awaited<ReturnType<typeof startHostileService>>;

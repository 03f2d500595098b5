// A resource API on loopback that plays a script: each request must be the next one written, anything else fails the test.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { closeServer, urlOf } from '../../local/address.ts';

/** What comes back: an answer, or a connection that ends without one. */
export type Reply =
  | { status: number; headers?: Record<string, string>; body?: unknown }
  | 'drop the connection'
  | 'drop amid the answer'
  | 'never answer';

export type Scene = {
  /** `METHOD path?query`, and for a part its Content-Range as `first-last`. */
  request: string;
  /** The JSON body that must come; where it is left out, any body may. */
  json?: unknown;
  reply: Reply;
};

export type ScriptedApi = {
  url: string;
  /** The bytes of parts that were answered with success, by their first byte. */
  parts: Map<number, Buffer>;
  /** Authorization headers in order of arrival. */
  authorizations: string[];
};

/**
 * Plays the scenes in order at `http://127.0.0.1:…/prod`, until the test ends: with a request that was not in the
 * script, or a script that has not come to its end, it has failed.
 */
export async function playScript(scenes: readonly Scene[]): Promise<ScriptedApi> {
  const faults: string[] = [];
  const parts = new Map<number, Buffer>();
  const authorizations: string[] = [];
  const left = [...scenes];

  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    authorizations.push(request.headers.authorization ?? '');
    const line = lineOf(request);
    const scene = left.shift();
    const fault = faultOf(scene, line, request, body);
    if (!scene || fault) {
      faults.push(fault ?? `unscripted: ${line}`);
      return send(response, { status: 400, body: { code: 'Unscripted', detail: fault } });
    }
    const first = /^bytes (\d+)-/.exec(request.headers['content-range'] ?? '')?.[1];
    if (first !== undefined && typeof scene.reply === 'object' && scene.reply.status === 200) {
      parts.set(Number(first), body);
    }
    send(response, scene.reply);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    await closeServer(server);
    const unplayed = left.map(({ request }) => `not asked for: ${request}`);
    if (faults.length + unplayed.length > 0) {
      throw new Error([...faults, ...unplayed].join('\n'));
    }
  });
  return { url: `${urlOf(server)}/prod`, parts, authorizations };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function lineOf({ method, url, headers }: IncomingMessage): string {
  const range = headers['content-range']?.replace(/^bytes (.*)\/\*$/, ' $1') ?? '';
  return `${method} ${url?.replace(/^\/prod/, '')}${range}`;
}

function faultOf(
  scene: Scene | undefined,
  line: string,
  request: IncomingMessage,
  body: Buffer,
): string | undefined {
  if (!scene) {
    return undefined;
  }
  if (scene.request !== line) {
    return `expected ${scene.request}, got ${line}`;
  }
  const contentType = request.headers['content-range'] ? 'application/octet-stream' : 'application/json';
  if (request.headers['content-type'] !== contentType) {
    return `${line}: content type ${request.headers['content-type']}`;
  }
  const same = scene.json === undefined || JSON.stringify(scene.json) === body.toString();
  return same ? undefined : `${line}: expected ${JSON.stringify(scene.json)}, got ${body}`;
}

function send(response: ServerResponse, reply: Reply): void {
  if (reply === 'never answer') {
    return;
  }
  if (reply === 'drop the connection') {
    response.socket?.destroy();
    return;
  }
  if (reply === 'drop amid the answer') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 500 });
    response.write('{"lastByteReceived":', () => response.socket?.destroy());
    return;
  }
  const { status, headers, body } = reply;
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? {});
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
}

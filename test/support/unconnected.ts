// A request and its response without a connection: what is written is noted, and the test says when the client goes.

import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { vi } from 'vitest';

export function unconnected(
  method = 'GET',
  url = '/',
  headers: Readonly<Record<string, string>> = {},
  body = '',
  ends = true,
) {
  let written = '';
  const socket = new Socket();
  vi.spyOn(socket, '_write').mockImplementation((chunk, _encoding, callback) => {
    written += chunk;
    callback();
  });
  vi.spyOn(socket, '_writev').mockImplementation((chunks, callback) => {
    written += chunks.map(({ chunk }) => chunk).join('');
    callback();
  });
  const request = new IncomingMessage(socket);
  Object.assign(request, { method, url, httpVersionMajor: 1, httpVersionMinor: 1, complete: ends });
  for (const [name, value] of Object.entries(headers)) {
    request.headers[name] = value;
    request.headersDistinct[name] = [value];
  }
  if (body !== '') {
    request.push(body);
  }
  if (ends) {
    request.push(null);
  }
  const response = new ServerResponse(request);
  response.assignSocket(socket);
  return {
    request,
    response,
    /** The answer as it was written. */
    written: () => {
      const [head = '', text = ''] = written.split('\r\n\r\n');
      const [status, ...lines] = head.split('\r\n');
      const named = lines.filter((line) => !/^(?:Date|Connection: keep-alive|Keep-Alive)/.test(line));
      return { status, headers: named, body: text };
    },
    /** The connection ends, as by its client or after its last answer. */
    end: async () => {
      socket.destroy();
      await turns();
    },
  };
}

/** Streams tell what has happened in turns of the event loop of their own. */
export const turns = () => new Promise<void>((resolve) => setImmediate(resolve));

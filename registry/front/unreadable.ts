// What is answered to bytes that are no request: in the words of OCI too.

import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** By Node.js's code; whatever else cannot be read is 400. */
const reasons: Readonly<Record<string, [status: number, message: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'the headers are too long'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the headers did not come in time'],
};

/** Ends the connection. @param isAnswered an answer is being written to it, or will be */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex, isAnswered: boolean): void {
  if (isAnswered || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, message] = reasons[error.code ?? ''] ?? [400, 'this is no request of HTTP/1.1'];
  const body = JSON.stringify({ errors: [{ code: 'UNSUPPORTED', message }] });
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: application/json',
    'X-Content-Type-Options: nosniff',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

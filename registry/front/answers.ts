// Writes what a request is answered: the only writer of answers.

import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Answer } from './exchange.ts';
import type { OciError } from './oci-errors.ts';

/** Nothing that was pushed is ever taken for a web page. */
const standing = {
  'docker-distribution-api-version': 'registry/2.0',
  'x-content-type-options': 'nosniff',
} as const;

/** It makes clients send their password, also those that have sent a wrong one. Basic is what all of them know. */
const challenge = { 'www-authenticate': 'Basic realm="ecr-upload-proxy"' } as const;

export const refusal = ({ code, message, detail, headers, status }: OciError): Answer => ({
  status,
  headers: { ...(code === 'UNAUTHORIZED' && challenge), ...headers },
  body: { errors: [{ code, message, ...(detail && { detail }) }] },
});

export type WriteOptions = {
  isHead: boolean;
  /** Ends the connection after the answer and what is left of the request's body. */
  close: boolean;
  warnings: readonly string[];
  /** How long a client may take none of it. */
  idleMs: number;
  /**
   * What is still read of the request's body. The answer is written before, and ended after it: with its end Node.js
   * closes the connection of a client that wants it closed (`Connection: close`) or waits for no body
   * (`Expect: 100-continue`), and one that is still writing would lose the answer.
   */
  rest: Promise<void> | undefined;
};

/** @throws what the chunks of the answer throw, and when the client does not take them */
export async function write(
  response: ServerResponse,
  { status, headers = {}, body }: Answer,
  { isHead, close, warnings, idleMs, rest }: WriteOptions,
): Promise<void> {
  const chunks = body !== undefined && Symbol.asyncIterator in body ? body : undefined;
  const bytes = body === undefined || chunks ? undefined : bytesOf(body);
  if (warnings.length > 0) {
    response.setHeader('warning', warnings.map(warningOf));
  }
  response.writeHead(status, {
    ...standing,
    ...(bytes !== undefined && !(body instanceof Uint8Array) && { 'content-type': 'application/json' }),
    // An answer of no length would be sent in chunks; 204 has none.
    ...(!chunks && status !== 204 && { 'content-length': bytes?.length ?? 0 }),
    ...headers,
    ...(close && { connection: 'close' }),
  });
  response.setTimeout(idleMs, () => response.destroy());
  if (!isHead && chunks) {
    await pipeline(chunks, response, { end: false });
  } else if (!isHead && bytes) {
    response.write(bytes);
  }
  if (rest) {
    response.flushHeaders();
    void rest.then(() => response.end());
  } else {
    response.end();
  }
}

const bytesOf = (body: object): Uint8Array =>
  body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));

/** Container tools show it to their users. Source: OCI distribution specification, "Warnings". */
const warningOf = (text: string): string =>
  `299 - "${text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`;

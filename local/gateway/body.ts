// A request's body as the gateway takes it: whole, or read to its end and let go where it is too large.

import type { Readable } from 'node:stream';
import { maxPayloadBytes } from '../../api/limits.ts';

/** Beyond them the gateway answers at once, whatever else the client still sends. */
const maxReadBytes = 8 * maxPayloadBytes;
const maxReadMs = 20_000;

export const tooLarge = Symbol('too large');

/**
 * Many clients do not read an answer that comes before the end of their body: they see a broken pipe, and send it again.
 *
 * @throws Error when the client goes away before the end
 */
export function readBody(stream: Readable): Promise<Buffer | typeof tooLarge> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer | typeof tooLarge>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  let deadline: NodeJS.Timeout | undefined;
  const end = () => resolve(bytes > maxPayloadBytes ? tooLarge : Buffer.concat(chunks));
  const leave = () => reject(new Error('the client has closed the connection'));
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxPayloadBytes) {
      chunks.push(chunk);
      return;
    }
    chunks.length = 0;
    deadline ??= setTimeout(end, maxReadMs);
    if (bytes > maxReadBytes) {
      end();
    }
  });
  if (stream.destroyed) {
    leave();
  }
  stream.once('end', end);
  stream.once('error', reject);
  stream.once('close', leave);
  return promise.finally(() => clearTimeout(deadline));
}

// Manifests that are on their way at once: their bytes are bounded, of one client and in all, and freed with the request.

import { describe, expect, it } from 'vitest';
import type { NewManifest } from '../../registry/port.ts';
import { digestOf } from '../support/random-bytes.ts';
import { RawConnection } from '../support/raw-http.ts';
import { type Front, startFront } from '../support/scripted-port.ts';

const MiB = 1_048_576;
const path = '/v2/team-a/app/manifests/1.0';
const code = ({ body }: { body: string }): unknown => JSON.parse(body).errors[0].code;

/** Each token is a client of its own. */
const clients =
  (manifest = '{}') =>
  ({ token = '' }: { token: string | undefined }) => ({
    client: token,
    putManifest: async (_name: string, _manifest: NewManifest) => ({ listsReferrers: true }),
    getManifest: async () => ({
      digest: digestOf(manifest),
      mediaType: 'application/json',
      bytes: Buffer.from(manifest),
    }),
  });

/** Begins to bring a manifest and sends one byte of it. */
async function stall(front: Front, client: string, length: string): Promise<RawConnection> {
  const connection = new RawConnection(front.port);
  await connection.head(`PUT ${path} HTTP/1.1`, length, `Authorization: Bearer ${client}`);
  await connection.write(length.startsWith('Content') ? '{' : '1\r\n{\r\n');
  return connection;
}

async function put(front: Front, client: string, bytes: number): Promise<number> {
  const connection = new RawConnection(front.port);
  const lines = [`PUT ${path} HTTP/1.1`, `Content-Length: ${bytes}`, `Authorization: Bearer ${client}`];
  await connection.head(...lines);
  await connection.write(`{"a":"${'x'.repeat(bytes - 8)}"}`);
  const answer = await connection.answer();
  if (answer.status === 503) {
    expect([code(answer), answer.headers.get('retry-after')]).toEqual(['UNAVAILABLE', '5']);
  }
  return answer.status;
}

describe('manifests that are brought', () => {
  const bounds = { manifestBytes: 1_500, manifestBytesPerClient: 1_000 };

  it('at once are bounded by their bytes, of one client and in all', async () => {
    const front = await startFront(clients(), { bounds });
    const first = await stall(front, 'a', 'Content-Length: 600');
    expect.soft(await put(front, 'a', 600)).toBe(503);
    expect.soft(await put(front, 'a', 400)).toBe(201);
    const other = await stall(front, 'b', 'Content-Length: 600');
    expect.soft(await put(front, 'c', 600)).toBe(503);
    first.socket.destroy();
    await expect.poll(() => put(front, 'c', 600)).toBe(201);
    other.socket.destroy();
    // Nothing is left of those that were answered.
    for (let n = 0; n < 5; n += 1) {
      await expect.poll(() => put(front, 'a', 1_000)).toBe(201);
    }
  });

  it('without their length count as the longest there may be', async () => {
    const front = await startFront(clients(), {
      bounds: { manifestBytes: 6 * MiB, manifestBytesPerClient: 6 * MiB },
    });
    await stall(front, 'a', 'Transfer-Encoding: chunked');
    expect(await put(front, 'a', 3 * MiB)).toBe(503);
    expect(await put(front, 'a', MiB)).toBe(201);
  });
});

describe('a manifest that its client does not take', () => {
  it('counts until the client is cut off', async () => {
    const long = JSON.stringify({ a: 'x'.repeat(16 * MiB) });
    const front = await startFront(clients(long), {
      bounds: { manifestBytes: 40 * MiB, manifestBytesPerClient: 20 * MiB, idleMs: 1_500 },
    });
    const idle = new RawConnection(front.port);
    idle.socket.pause();
    await idle.head(`GET ${path} HTTP/1.1`, 'Authorization: Bearer a');
    await expect.poll(() => front.served.length).toBe(1);
    const statusOfNext = async () => {
      const answer = await fetch(front.url + path, { headers: { authorization: 'Bearer a' } });
      await answer.arrayBuffer();
      return answer.status;
    };
    expect(await statusOfNext()).toBe(503);
    await expect.poll(statusOfNext, { timeout: 20_000, interval: 200 }).toBe(200);
  });
});

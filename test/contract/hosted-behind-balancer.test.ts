// The hosted registry behind a load balancer: pushes hold, clocks fit together, and errors of the balancer cost no image.

import { randomUUID } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startHosted } from '../support/hosted-registry.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { type LoadBalancerOptions, startLoadBalancer } from '../support/load-balancer.ts';
import { manifestOf, ociManifest } from '../support/manifests.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { RawConnection } from '../support/raw-http.ts';
import { tokens } from '../support/resource-api.ts';

const MiB = 1_048_576;
const repository = '/v2/team-a/app';
const uploads = `${repository}/blobs/uploads/`;
const authorization = `Bearer ${tokens.a}`;

let stack: InProcess;
const addresses: string[] = [];
beforeAll(async () => {
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
  const started = await startInProcess();
  const { beginRecord } = started.services;
  stack = {
    ...started,
    services: {
      ...started.services,
      beginRecord: (origin) => {
        addresses.push(origin.sourceIp);
        return beginRecord(origin);
      },
    },
  };
});
afterAll(() => stack.close());

type Bounds = Partial<Parameters<typeof startHosted>[1] & object>['bounds'] & object;

async function start(balancer: LoadBalancerOptions, bounds: Partial<Bounds> = {}) {
  const usual = { uploads: 24, uploadsPerClient: 16, idleMs: 10_000, keepAliveMs: 10_000 };
  const server = await startHosted(stack, { behindLoadBalancer: true, bounds: { ...usual, ...bounds } });
  const front = await startLoadBalancer(server.url, balancer);
  onTestFinished(async () => {
    await front.close();
    await server.close();
  });
  return { ...front, target: server.url, uploadsUnderWay: () => server.uploadsUnderWay() };
}

type Body = { framing: string; connection: string; chunks: number };

/** Sends a body of chunks of 1 MiB, all of it, where this client may not push. @throws when nobody takes it */
async function writeFirst(url: string, { framing, connection, chunks }: Body): Promise<RawConnection> {
  const client = new RawConnection(Number(new URL(url).port));
  const isChunked = framing === 'chunked';
  await client.head(
    `PATCH /v2/team-b/app/blobs/uploads/0-${randomUUID()} HTTP/1.1`,
    isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${chunks * MiB}`,
    `Connection: ${connection}`,
    `Authorization: ${authorization}`,
  );
  for (let sent = 0; sent < chunks; sent += 1) {
    const chunk = Buffer.alloc(MiB);
    for (const bytes of isChunked ? [`${MiB.toString(16)}\r\n`, chunk, '\r\n'] : [chunk]) {
      await client.write(bytes);
    }
  }
  if (isChunked) {
    await client.write('0\r\n\r\n');
  }
  return client;
}

type Sent = { body?: Uint8Array; headers?: Record<string, string> };

/** As docker does: a body in chunks, without its length. */
async function send(url: string, method: string, path: string, { body, headers }: Sent = {}) {
  const outgoing = request(`${url}${path}`, { method, headers: { authorization, ...headers } });
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  outgoing.on('response', resolve).on('error', reject);
  if (body) {
    for (let at = 0; at < body.length; at += MiB) {
      outgoing.write(body.subarray(at, at + MiB));
    }
  }
  outgoing.end();
  const response = await promise;
  const chunks: Buffer[] = [];
  for await (const chunk of response) {
    chunks.push(chunk);
  }
  const { location = '', 'content-type': contentType } = response.headers;
  return { status: response.statusCode, location, contentType, body: Buffer.concat(chunks).toString() };
}

const lastingMs = 10_000;

describe('behind a load balancer', () => {
  it('an image whose requests meet its errors is whole after the same requests are sent again', async () => {
    const faults = [
      { status: 503, lost: false },
      { status: 502, lost: true },
      { status: 504, lost: true },
    ] as const;
    // Each request meets each of them once.
    const met = new Map<string, number>();
    const { url } = await start({
      idleMs: lastingMs,
      faultOf: ({ method, url: path = '' }) => {
        const name = `${method} ${path.split(/\/(?=[^/]*$)/)[0]} ${path.includes('digest=')}`;
        const count = met.get(name) ?? 0;
        met.set(name, count + 1);
        return faults[count];
      },
    });
    const insist = async (method: string, path: string, sent?: Sent) => {
      for (const { status } of faults) {
        const failed = await send(url, method, path, sent);
        expect([failed.status, failed.contentType]).toEqual([status, 'text/html']);
      }
      return send(url, method, path, sent);
    };
    const layer = randomBytes(MiB);
    const begun = await insist('POST', uploads);
    expect(begun.status).toBe(202);
    const patched = await insist('PATCH', begun.location, { body: layer });
    expect(patched.status).toBe(202);
    const put = await insist('PUT', `${patched.location}?digest=${digestOf(layer)}`);
    expect(put.status).toBe(201);
    const config = randomBytes(100);
    // By now its errors are over.
    const { location } = await send(url, 'POST', uploads);
    const whole = await send(url, 'PUT', `${location}?digest=${digestOf(config)}`, { body: config });
    expect(whole.status).toBe(201);
    const manifest = manifestOf(config, [layer], { mediaType: ociManifest });
    const headers = { 'content-type': ociManifest };
    const path = `${repository}/manifests/balanced`;
    expect(await insist('PUT', path, { body: Buffer.from(manifest), headers })).toMatchObject({
      status: 201,
    });
    expect(await insist('GET', path)).toMatchObject({ status: 200, body: manifest });
  });

  it('a body that stalls is refused in OCI’s form, before the balancer’s clock has run out', async () => {
    const { url } = await start({ idleMs: 15_000 }, { idleMs: 1_500 });
    const { location } = await send(url, 'POST', uploads);
    const client = new RawConnection(Number(new URL(url).port));
    const lines = [`PATCH ${location} HTTP/1.1`, 'Content-Length: 10', `Authorization: ${authorization}`];
    await client.head(...lines);
    await client.write('12345');
    const answer = await client.answer();
    expect([answer.status, answer.headers.get('content-type')]).toEqual([408, 'application/json']);
  });

  const shapes = ['Content-Length', 'chunked'].flatMap((framing) =>
    ['keep-alive', 'close'].map((connection) => ({ framing, connection })),
  );

  it.each(shapes)(
    'a client that writes before it reads learns why it is refused amid a body: $framing, $connection',
    async ({ framing, connection }) => {
      const { url } = await start({ idleMs: lastingMs });
      const client = await writeFirst(url, { framing, connection, chunks: 24 });
      const answer = await client.answer();
      expect([answer.status, JSON.parse(answer.body).errors[0].code]).toEqual([403, 'DENIED']);
    },
  );

  it('a client whose connection it closes with the refusal is not left waiting, and leaves nothing', async () => {
    const front = await start({ idleMs: lastingMs, restOfBody: 'cut' });
    const sending = writeFirst(front.url, { framing: 'Content-Length', connection: 'close', chunks: 200 });
    await expect(sending).rejects.toThrow(/EPIPE|ECONNRESET|ECANCELED/);
    await expect.poll(() => front.uploadsUnderWay(), { timeout: 5_000 }).toBe(0);
  });

  it('a header that is too long for it never reaches the server, and one that is not too long does', async () => {
    const { url } = await start({ idleMs: lastingMs });
    const ask = (characters: number) =>
      send(url, 'GET', '/v2/', { headers: { authorization: `Bearer ${'x'.repeat(characters)}` } });
    expect(await ask(12_000)).toMatchObject({ status: 401, contentType: 'application/json' });
    expect(await ask(17_000)).toMatchObject({ status: 400, contentType: 'text/html' });
  });
});

describe('a target that leaves', () => {
  /** Begins a body of which only some comes. */
  async function stall(url: string): Promise<RawConnection> {
    const { location } = await send(url, 'POST', uploads);
    const client = new RawConnection(Number(new URL(url).port));
    const lines = [`PATCH ${location} HTTP/1.1`, 'Content-Length: 10', `Authorization: ${authorization}`];
    await client.head(...lines);
    await client.write('12345');
    return client;
  }

  it('is cut off when the deregistration delay is over: 502 in HTML, and nothing is left of its upload', async () => {
    const front = await start({ idleMs: lastingMs });
    const client = await stall(front.url);
    await expect.poll(() => front.uploadsUnderWay(), { timeout: 5_000 }).toBe(1);
    front.deregister(front.target, 200);
    const answer = await client.answer();
    expect([answer.status, answer.headers.get('content-type')]).toEqual([502, 'text/html']);
    await expect.poll(() => front.uploadsUnderWay(), { timeout: 5_000 }).toBe(0);
    // Nobody is left to ask, until another target comes.
    expect(await send(front.url, 'POST', uploads)).toMatchObject({ status: 503, contentType: 'text/html' });
    front.register(front.target);
    expect((await send(front.url, 'POST', uploads)).status).toBe(202);
  });

  it('ends what it has, as long as the delay lasts', async () => {
    const front = await start({ idleMs: lastingMs });
    const client = await stall(front.url);
    await expect.poll(() => front.uploadsUnderWay(), { timeout: 5_000 }).toBe(1);
    front.deregister(front.target, 60_000);
    await client.write('67890');
    expect((await client.answer()).status).toBe(202);
  });

  it('keeps no upload of a client that has left: the balancer counts 460, and tells nobody', async () => {
    const front = await start({ idleMs: lastingMs });
    const client = await stall(front.url);
    await expect.poll(() => front.uploadsUnderWay(), { timeout: 5_000 }).toBe(1);
    client.socket.destroy();
    await expect.poll(() => front.uploadsUnderWay(), { timeout: 5_000 }).toBe(0);
    expect(front.answered(460)).toBe(1);
  });
});

describe('a connection that is kept', () => {
  const kept = async (idleMs: number, keepAliveMs: number) => {
    const front = await start({ idleMs }, { keepAliveMs });
    await send(front.url, 'GET', '/v2/');
    await expect.poll(() => front.idleEnds.byBalancer + front.idleEnds.byTarget).toBe(1);
    return front.idleEnds;
  };

  it('is closed by the balancer, as its server waits longer: so no request meets one that is being closed', async () => {
    expect(await kept(400, 415)).toEqual({ byBalancer: 1, byTarget: 0 });
  });

  it('would be closed by a server that waits less, which this test would see', async () => {
    expect(await kept(4_000, 1)).toEqual({ byBalancer: 0, byTarget: 1 });
  });

  it('takes one request after another, at any pace below its time', async () => {
    const { url, idleEnds } = await start({ idleMs: 400 }, { keepAliveMs: 415 });
    for (const pauseMs of [0, 200, 399, 401]) {
      await sleep(pauseMs);
      expect((await send(url, 'GET', '/v2/')).status).toBe(200);
    }
    expect(idleEnds.byTarget).toBe(0);
  });
});

describe('the client’s address', () => {
  const seen = async (behindLoadBalancer: boolean, ...headers: string[]) => {
    const server = await startHosted(stack, { behindLoadBalancer });
    const client = new RawConnection(Number(new URL(server.url).port));
    addresses.length = 0;
    await client.head('GET /v2/ HTTP/1.1', ...headers);
    await client.answer();
    await server.close();
    return addresses;
  };

  it.each([
    ['what the balancer has added', ['X-Forwarded-For: 203.0.113.7'], '203.0.113.7'],
    [
      'the last of several, as anybody may have written the others',
      ['X-Forwarded-For: 10.0.0.1, 198.51.100.9,203.0.113.7'],
      '203.0.113.7',
    ],
    [
      'the last of several headers',
      ['X-Forwarded-For: 10.0.0.1', 'X-Forwarded-For: 2001:db8::7'],
      '2001:db8::7',
    ],
    ['the connection’s, where it has added none', [], '127.0.0.1'],
    ['the connection’s, where it is empty', ['X-Forwarded-For: 10.0.0.1,'], '127.0.0.1'],
  ])('is %s', async (_, headers, expected) => {
    expect(await seen(true, ...headers)).toEqual([expected]);
    expect(await seen(false, ...headers)).toEqual(['127.0.0.1']);
  });
});

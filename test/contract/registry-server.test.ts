// The OCI front as a server: which clocks and bounds Node.js is given, where it listens, whom it hears, and how it ends.

import { request, type Server } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ProxyError } from '../../api/proxy-error.ts';
import { healthRoute } from '../../registry/front/other-routes.ts';
import type { Served } from '../../registry/front/serve.ts';
import { type RegistryServerOptions, startRegistryServer } from '../../registry/front/server.ts';
import { RawConnection } from '../support/raw-http.ts';
import { lengthOf, startFront } from '../support/scripted-port.ts';

/** What servers were made of, and they themselves. */
const { made } = vi.hoisted(() => ({ made: [] as { options: object; server: Server; isTls: boolean }[] }));
vi.mock('node:http', async (original) => {
  const http = await original<typeof import('node:http')>();
  const createServer = (options: object) => {
    const server = http.createServer(options);
    made.push({ options, server, isTls: false });
    return server;
  };
  return { ...http, createServer };
});
// No certificate is needed for what is asked here.
vi.mock('node:https', async (original) => {
  const { createServer: createPlain } = await vi.importActual<typeof import('node:http')>('node:http');
  const createServer = (options: object) => {
    const server = createPlain();
    made.push({ options, server, isTls: true });
    return server;
  };
  return { ...(await original<typeof import('node:https')>()), createServer };
});
beforeEach(() => {
  made.length = 0;
});

const address = { host: '127.0.0.1', port: 0 };
const uploads = '/v2/team-a/app/blobs/uploads/';

async function refuseAll(): Promise<never> {
  throw new ProxyError('UnrecognizedClientException');
}

async function start(options: Partial<RegistryServerOptions> = {}) {
  const server = await startRegistryServer({ address, registry: 'ecr', open: refuseAll, ...options });
  onTestFinished(() => server.close());
  return server;
}

const statusOf = (options: object) =>
  new Promise<number | undefined>((resolve, reject) => {
    request({ agent: false, ...options }, (answer) => {
      buffer(answer).then(() => resolve(answer.statusCode), reject);
    })
      .on('error', reject)
      .end();
  });

describe('a server', () => {
  it('lets a body take its time, and no headers', async () => {
    await start({ bounds: { headersMs: 7_000, headerBytes: 9_000, keepAliveMs: 3_000 } });
    expect(made.map(({ options }) => options)).toEqual([
      {
        requestTimeout: 0,
        headersTimeout: 7_000,
        keepAliveTimeout: 3_000,
        maxHeaderSize: 9_000,
        connectionsCheckingInterval: 7_000,
      },
    ]);
  });

  it('has bounds without being given any', async () => {
    await start();
    expect(made[0]?.options).toEqual({
      requestTimeout: 0,
      headersTimeout: 60_000,
      keepAliveTimeout: 72_000,
      maxHeaderSize: 65_536,
      connectionsCheckingInterval: 30_000,
    });
    expect(made[0]?.isTls).toBe(false);
  });

  it('speaks TLS where it is given a certificate', async () => {
    const { url } = await start({ tls: { cert: 'a certificate', key: 'a key' } });
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:[1-9]\d*$/);
    expect(made).toMatchObject([
      { isTls: true, options: { cert: 'a certificate', key: 'a key', requestTimeout: 0 } },
    ]);
  });

  it('says where it listens', async () => {
    expect((await start()).url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
    expect((await start({ address: { host: '::1', port: 0 } })).url).toMatch(/^http:\/\/\[::1\]:[1-9]\d*$/);
  });

  it('ends a connection that is idle, but for one that has been heard before Node.js looks', async () => {
    await start();
    const idle = { bytesRead: 7, destroy: vi.fn() };
    const busy = { bytesRead: 7, destroy: vi.fn() };
    made[0]?.server.emit('timeout', idle);
    made[0]?.server.emit('timeout', busy);
    busy.bytesRead = 8;
    expect(idle.destroy).not.toHaveBeenCalled();
    await new Promise((resolve) => setImmediate(resolve));
    expect([idle.destroy.mock.calls.length, busy.destroy.mock.calls.length]).toEqual([1, 0]);
  });

  it('does not start where another listens', async () => {
    const { url } = await start();
    const port = Number(new URL(url).port);
    await expect(start({ address: { host: '127.0.0.1', port } })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});

describe('a request', () => {
  it('is let in from anywhere, known by its address, unless told otherwise', async () => {
    const served: Served[] = [];
    const onServed = (one: Served) => void served.push(one);
    const { url } = await start({ onServed });
    const port = Number(new URL(url).port);
    expect(await statusOf({ port, path: '/v2/' })).toBe(401);
    expect(served).toMatchObject([{ sourceIp: '127.0.0.1', status: 401 }]);
    const admit = () => {
      throw new ProxyError('AccessDeniedException');
    };
    const other = await start({ onServed, admit, sourceIpOf: () => '192.0.2.1' });
    expect(await statusOf({ port: new URL(other.url).port, path: '/v2/' })).toBe(403);
    expect(served[1]).toMatchObject({ sourceIp: '192.0.2.1', status: 403 });
  });

  it('is refused without 100 Continue before', async () => {
    const { url } = await start();
    const client = new RawConnection(Number(new URL(url).port));
    await client.head(`POST ${uploads} HTTP/1.1`, 'Content-Length: 3', 'Expect: 100-continue');
    expect((await client.answer()).status).toBe(401);
  });

  it('outside of the API is answered where there is a route for it', async () => {
    const { url } = await start();
    expect(await statusOf({ port: new URL(url).port, path: '/health' })).toBe(401);
    const other = await start({ otherRoutes: [healthRoute('/health')] });
    expect(await statusOf({ port: new URL(other.url).port, path: '/health' })).toBe(200);
  });

  it('is answered though nobody can be told of it', async () => {
    const { url } = await start({
      onServed: () => {
        throw new Error('no space left on device');
      },
    });
    expect(await statusOf({ port: new URL(url).port, path: '/v2/' })).toBe(401);
    expect(await statusOf({ port: new URL(url).port, path: '/v2/' })).toBe(401);
  });

  it('whose body waits to be asked for is asked when somebody reads it', async () => {
    const reading = Promise.withResolvers<void>();
    const front = await startFront({
      append: async (_name, _reference, { chunks }) => {
        await reading.promise;
        return { reference: 'a', position: await lengthOf(chunks) };
      },
    });
    const client = new RawConnection(front.port);
    await client.head(`PATCH ${uploads}a HTTP/1.1`, 'Content-Length: 3', 'Expect: 100-continue');
    await expect.poll(() => front.uploadsUnderWay()).toBe(1);
    reading.resolve();
    expect((await client.answer()).status).toBe(100);
    await client.write('abc');
    expect((await client.answer()).status).toBe(202);
    expect(front.served.length).toBe(1);
  });

  it('of which a body waits is one that is under way, whatever else comes on its connection', async () => {
    const front = await startFront({
      append: async (_name, _reference, { chunks }) => ({ reference: 'a', position: await lengthOf(chunks) }),
    });
    const client = new RawConnection(front.port);
    await client.head(`PATCH ${uploads}a HTTP/1.1`, 'Transfer-Encoding: chunked');
    await expect.poll(() => front.uploadsUnderWay()).toBe(1);
    await client.write('no chunk\r\n');
    await client.closed();
    await expect(client.answer()).rejects.toThrow();
  });

  it('that is none is refused in OCI’s words', async () => {
    const { url } = await start();
    const client = new RawConnection(Number(new URL(url).port));
    await client.write('hello\r\n\r\n');
    expect(await client.answer()).toMatchObject({
      status: 400,
      body: expect.stringContaining('UNSUPPORTED'),
    });
  });
});

describe('a server that is closed', () => {
  const appending = () => {
    const reading = Promise.withResolvers<void>();
    const script = {
      begin: async () => ({ reference: 'a', position: 0 }),
      append: async () => {
        await reading.promise;
        return { reference: 'a', position: 0 };
      },
    };
    return { reading, script };
  };

  it('begins nothing, and ends when what is under way has ended', async () => {
    const { reading, script } = appending();
    const front = await startFront(script);
    const running = statusOf({ port: front.port, method: 'PATCH', path: `${uploads}a` });
    await expect.poll(() => front.uploadsUnderWay()).toBe(1);
    const closed = vi.fn();
    const closing = front.close(60_000).then(closed);
    expect(await statusOf({ port: front.port, method: 'POST', path: uploads })).toBe(503);
    expect(closed).not.toHaveBeenCalled();
    reading.resolve();
    expect(await running).toBe(202);
    await closing;
    await expect(statusOf({ port: front.port, path: '/v2/' })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
  });

  it('waits for nothing unless it is told to', async () => {
    const { script } = appending();
    const front = await startFront(script);
    const running = statusOf({ port: front.port, method: 'PATCH', path: `${uploads}a` });
    const cut = expect(running).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect.poll(() => front.uploadsUnderWay()).toBe(1);
    await front.close();
    await cut;
  });

  it('stays a while for the next request of a push', async () => {
    const front = await startFront(appending().script, { bounds: { betweenUploadsMs: 300 } });
    const from = performance.now();
    expect(await statusOf({ port: front.port, method: 'POST', path: uploads })).toBe(202);
    await front.close(60_000);
    expect(performance.now() - from).toBeGreaterThanOrEqual(300);
  });
});

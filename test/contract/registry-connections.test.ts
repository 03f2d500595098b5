// How the OCI front treats connections: bodies that stall, are refused or break off, uploads in number, and its end.

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ProxyError } from '../../api/proxy-error.ts';
import type { IncomingBytes } from '../../registry/port.ts';
import { RawConnection } from '../support/raw-http.ts';
import { type Front, lengthOf, startFront } from '../support/scripted-port.ts';

const MiB = 1_048_576;
const uploads = '/v2/team-a/app/blobs/uploads/';
const place = `${uploads}abc_0`;
const code = ({ body }: { body: string }): unknown => JSON.parse(body).errors[0].code;

/** Takes whatever comes. */
const taking = {
  begin: async () => ({ reference: 'abc_0', position: 0 }),
  append: async (_name: string, _reference: string, { chunks }: IncomingBytes) => ({
    reference: 'abc_1',
    position: await lengthOf(chunks),
  }),
};

const refusing = {
  append: () => Promise.reject(new ProxyError('AccessDeniedException', 'the policy says no')),
};

const refusingAmid = {
  append: async (_name: string, _reference: string, { chunks }: IncomingBytes) => {
    for await (const _ of chunks) {
      throw new ProxyError('QuotaExceededException', 'enough');
    }
    throw new Error('no byte came');
  },
};

const isServed = (front: Front, count: number) => expect.poll(() => front.served.length).toBe(count);

/** The head of a request that brings `length` bytes. */
const patch = (length: number) => [`PATCH ${place} HTTP/1.1`, `Content-Length: ${length}`];

describe('a body that is refused', () => {
  it('is read to its end, so that a client that writes before it reads learns why', async () => {
    const front = await startFront(refusing);
    const client = new RawConnection(front.port);
    await client.head(...patch(20 * MiB));
    for (let sent = 0; sent < 20; sent += 1) {
      await client.write(Buffer.alloc(MiB));
    }
    const answer = await client.answer();
    expect([answer.status, code(answer), answer.headers.get('connection')]).toEqual([
      403,
      'DENIED',
      'keep-alive',
    ]);
    await client.head('GET /v2/ HTTP/1.1');
    expect((await client.answer()).status).toBe(200);
  });

  it('in the middle of its bytes is read to its end as well', async () => {
    const front = await startFront({
      append: async (_name, _reference, { chunks }) => {
        for await (const _ of chunks) {
          throw new ProxyError('QuotaExceededException', 'enough');
        }
        throw new Error('no byte came');
      },
    });
    const client = new RawConnection(front.port);
    await client.head(...patch(20 * MiB));
    await client.write(Buffer.alloc(20 * MiB));
    expect(await client.answer()).toMatchObject({ status: 403 });
    await client.head('GET /v2/ HTTP/1.1');
    expect((await client.answer()).status).toBe(200);
  });

  const shapes = ['Content-Length', 'chunked'].flatMap((framing) =>
    ['keep-alive', 'close'].flatMap((connection) =>
      ['before a byte is read', 'amid its bytes'].flatMap((when) =>
        [[], ['Expect: 100-continue']].map((expect) => ({ framing, connection, when, expect })),
      ),
    ),
  );

  it.each(shapes)(
    'is read to its end, and its client told: $framing, $connection, refused $when $expect',
    async ({ framing, connection, when, expect: headers }) => {
      const front = await startFront(when === 'amid its bytes' ? refusingAmid : refusing);
      const client = new RawConnection(front.port);
      const isChunked = framing === 'chunked';
      const length = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${12 * MiB}`;
      await client.head(`PATCH ${place} HTTP/1.1`, length, `Connection: ${connection}`, ...headers);
      const chunk = Buffer.alloc(MiB);
      for (let sent = 0; sent < 12; sent += 1) {
        const framed = [`${MiB.toString(16)}\r\n`, chunk, '\r\n'];
        for (const bytes of isChunked ? framed : [chunk]) {
          await client.write(bytes);
        }
      }
      if (isChunked) {
        await client.write('0\r\n\r\n');
      }
      const first = await client.answer();
      const answer = first.status === 100 ? await client.answer() : first;
      expect([answer.status, code(answer)]).toEqual([403, 'DENIED']);
      await isServed(front, 1);
      expect(front.served).toMatchObject([{ status: 403, fault: undefined }]);
      if (answer.headers.get('connection') === 'close') {
        await client.closed();
        return;
      }
      expect(connection).toBe('keep-alive');
      await client.head('GET /v2/ HTTP/1.1');
      expect((await client.answer()).status).toBe(200);
    },
  );

  it.each([
    ['longer than this is', { drainedBytes: MiB }, 64 * MiB],
    ['slower than this is', { drainMs: 100 }, 10],
  ])('and is %s, is cut off after the answer', async (_, bounds, length) => {
    const front = await startFront(refusing, { bounds });
    const client = new RawConnection(front.port);
    await client.head(...patch(MiB * 64));
    expect((await client.answer()).status).toBe(403);
    client.write(Buffer.alloc(length)).catch(() => {});
    await client.closed();
  });

  it('is not even asked for by 100 Continue', async () => {
    const front = await startFront(refusing);
    const client = new RawConnection(front.port);
    await client.head(...patch(MiB), 'Expect: 100-continue');
    expect((await client.answer()).status).toBe(403);
  });
});

it('a body that waits for 100 Continue is asked for when it is read', async () => {
  const front = await startFront(taking);
  const client = new RawConnection(front.port);
  await client.head(...patch(3), 'Expect: 100-continue');
  expect((await client.answer()).status).toBe(100);
  await client.write('abc');
  expect(await client.answer()).toMatchObject({ status: 202 });
});

describe('a client that stands still', () => {
  it('in the middle of a body is answered 408 and leaves nothing', async () => {
    const front = await startFront(taking, { bounds: { idleMs: 100, drainMs: 100 } });
    const client = new RawConnection(front.port);
    await client.head(...patch(10));
    await client.write('12345');
    const answer = await client.answer();
    expect([answer.status, code(answer)]).toEqual([408, 'BLOB_UPLOAD_INVALID']);
    await client.closed();
    expect(front.uploadsUnderWay()).toBe(0);
  });

  it('is not one that is held back', async () => {
    const front = await startFront(
      {
        append: async (_name, _reference, { chunks }) => {
          for await (const _ of chunks) {
            await sleep(1_500);
          }
          return { reference: 'abc_1', position: 0 };
        },
      },
      { bounds: { idleMs: 1_000 } },
    );
    const client = new RawConnection(front.port);
    await client.head(...patch(100_000));
    await client.write(Buffer.alloc(100_000));
    expect(await client.answer()).toMatchObject({ status: 202 });
  });

  it('before its headers is answered 408', async () => {
    const front = await startFront(taking, { bounds: { headersMs: 2_000 } });
    const silent = new RawConnection(front.port);
    const halfway = new RawConnection(front.port);
    await halfway.write('GET /v2/ HTTP/1.1\r\nHost: x\r\n');
    expect(await halfway.answer()).toMatchObject({ status: 408 });
    await Promise.all([silent.closed(), halfway.closed()]);
  });

  it('and takes no answer is cut off', async () => {
    async function* endless() {
      for (;;) {
        yield Buffer.alloc(MiB);
      }
    }
    const front = await startFront(
      { getBlob: async () => ({ size: 1_000 * MiB, chunks: endless() }) },
      { bounds: { idleMs: 200 } },
    );
    const client = new RawConnection(front.port);
    client.socket.pause();
    await client.head(`GET /v2/team-a/app/blobs/sha256:${'1'.repeat(64)} HTTP/1.1`);
    await isServed(front, 1);
    expect(front.served).toMatchObject([{ status: undefined, fault: undefined }]);
  });
});

it('an upload may take longer than the time for headers', async () => {
  const front = await startFront(taking, { bounds: { headersMs: 2_000 } });
  const client = new RawConnection(front.port);
  await client.head(...patch(6));
  for (let sent = 0; sent < 6; sent += 1) {
    await sleep(500);
    await client.write('x');
  }
  expect(await client.answer()).toMatchObject({ status: 202 });
});

describe('a connection on which nothing is asked', () => {
  const kept = async (keepAliveMs: number) => {
    const front = await startFront(taking, { bounds: { keepAliveMs } });
    const client = new RawConnection(front.port);
    await client.head('GET /v2/ HTTP/1.1');
    await client.answer();
    return client;
  };

  it('is closed after its time', async () => {
    const client = await kept(1);
    await client.closed();
  });

  it('is kept where the next request came in time, and this process was too busy to read it', async () => {
    const client = await kept(2_000);
    void client.head(`POST ${uploads} HTTP/1.1`, 'Content-Length: 0');
    // Node.js waits a second longer than it tells clients.
    const busyMs = 2_000 + 1_000 + 500;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, busyMs);
    expect((await client.answer()).status).toBe(202);
  });
});

describe('a client that goes away', () => {
  it('in the middle of a body is not a fault, and frees its memory', async () => {
    const front = await startFront(taking);
    const client = new RawConnection(front.port);
    await client.head(...patch(100));
    await client.write('12345');
    await expect.poll(() => front.uploadsUnderWay()).toBe(1);
    client.socket.resetAndDestroy();
    await isServed(front, 1);
    expect(front.served).toMatchObject([{ status: undefined, code: undefined, fault: undefined }]);
    expect(front.uploadsUnderWay()).toBe(0);
  });

  it('before its body is read frees its memory as soon as it would be', async () => {
    const { promise: isGone, resolve: gone } = Promise.withResolvers<void>();
    const { promise: isAsked, resolve: asked } = Promise.withResolvers<void>();
    const front = await startFront(({ abortSignal }) => ({
      append: async (_name, _reference, { chunks }) => {
        asked();
        await once(abortSignal, 'abort');
        gone();
        return { reference: '1-x', position: await lengthOf(chunks) };
      },
    }));
    const client = new RawConnection(front.port);
    await client.head(...patch(100));
    await client.write('12345');
    await isAsked;
    client.socket.resetAndDestroy();
    await isGone;
    await isServed(front, 1);
    expect(front.served).toMatchObject([{ status: undefined, code: undefined, fault: undefined }]);
    expect(front.uploadsUnderWay()).toBe(0);
  });

  it('while ECR is asked ends the question', async () => {
    const asked = Promise.withResolvers<void>();
    const front = await startFront(({ abortSignal }) => ({
      getManifest: async () => {
        asked.resolve();
        await once(abortSignal, 'abort');
        throw new ProxyError('GatewayTimeoutException');
      },
    }));
    const client = new RawConnection(front.port);
    await client.head('GET /v2/team-a/app/manifests/1.0 HTTP/1.1');
    await asked.promise;
    client.socket.destroy();
    await isServed(front, 1);
    expect(front.served).toMatchObject([{ status: undefined, fault: undefined }]);
  });
});

it('an answer whose bytes fail ends its connection, and is a fault for the log', async () => {
  async function* failing() {
    yield Buffer.from('12345');
    throw new Error('ECR broke off');
  }
  const front = await startFront({ getBlob: async () => ({ size: 10, chunks: failing() }) });
  const client = new RawConnection(front.port);
  await client.head(`GET /v2/team-a/app/blobs/sha256:${'1'.repeat(64)} HTTP/1.1`);
  await client.closed();
  await isServed(front, 1);
  expect(front.served).toMatchObject([{ fault: { message: 'ECR broke off' } }]);
});

/** Of hundreds of connections, on a machine that is busy. */
const patiently = { timeout: 30_000 };

describe('uploads', () => {
  const bounds = { uploads: 5, uploadsPerClient: 3 };
  const named = (client: string) => [...patch(10), `Authorization: Bearer ${client}`];

  it('in larger number than may be are 503, which all clients send again, counted before anything else', async () => {
    const front = await startFront(({ token = '' }) => ({ ...taking, client: token }), { bounds });
    const statuses = async (client: string, count: number) => {
      const all = Array.from({ length: count }, () => new RawConnection(front.port));
      await Promise.all(all.map((one) => one.head(...named(client))));
      const refused: number[] = [];
      for (const one of all) {
        one
          .answer()
          .then((answer) => {
            expect([code(answer), answer.headers.get('retry-after')]).toEqual(['UNAVAILABLE', '5']);
            refused.push(answer.status);
          })
          .catch(() => {});
      }
      return { all, refused };
    };
    const first = await statuses('a', 100);
    await expect.poll(() => first.refused.length, patiently).toBe(97);
    const second = await statuses('b', 100);
    await expect.poll(() => second.refused.length, patiently).toBe(98);
    expect(new Set([...first.refused, ...second.refused])).toEqual(new Set([503]));
    expect(front.uploadsUnderWay()).toBe(5);
    const third = new RawConnection(front.port);
    await third.head(`POST ${uploads} HTTP/1.1`, 'Content-Length: 0', 'Authorization: Bearer c');
    expect((await third.answer()).status).toBe(503);
    for (const one of [...first.all, ...second.all]) {
      one.socket.destroy();
    }
    await expect.poll(() => front.uploadsUnderWay()).toBe(0);
    const fourth = new RawConnection(front.port);
    await fourth.head(`POST ${uploads} HTTP/1.1`, 'Content-Length: 0', 'Authorization: Bearer c');
    expect((await fourth.answer()).status).toBe(202);
  });
});

describe('a server that is closed', () => {
  it('lets uploads end, by old connections and by new, and begins none', async () => {
    const front = await startFront(taking, { bounds: { betweenUploadsMs: 5_000 } });
    const running = new RawConnection(front.port);
    await running.head(...patch(3));
    await running.write('a');
    await expect.poll(() => front.uploadsUnderWay()).toBe(1);
    let isClosed = false;
    const closed = front.close(60_000).then(() => {
      isClosed = true;
    });
    const late = new RawConnection(front.port);
    await late.head(`POST ${uploads} HTTP/1.1`, 'Content-Length: 0');
    const refused = await late.answer();
    expect([refused.status, code(refused), refused.headers.get('connection')]).toEqual([
      503,
      'UNAVAILABLE',
      'close',
    ]);
    await running.write('bc');
    const answer = await running.answer();
    expect([answer.status, answer.headers.get('connection')]).toEqual([202, 'close']);
    const next = new RawConnection(front.port);
    await next.head(...patch(3));
    expect(isClosed).toBe(false);
    await next.write('abc');
    expect((await next.answer()).status).toBe(202);
    await closed;
    const tooLate = new RawConnection(front.port);
    await tooLate.closed();
  });

  it('cuts off after its time what does not end', async () => {
    const front = await startFront(taking);
    const client = new RawConnection(front.port);
    await client.head(...patch(3));
    await expect.poll(() => front.uploadsUnderWay()).toBe(1);
    await front.close(100);
    await client.closed();
  });

  it('that is idle ends at once, even with open connections', async () => {
    const front = await startFront(taking);
    const client = new RawConnection(front.port);
    await client.head('GET /v2/ HTTP/1.1');
    await client.answer();
    await front.close(600_000);
    await client.closed();
  });
});

describe('what is no request', () => {
  it.each([
    ['of another protocol', 'hello\r\n\r\n', 400],
    ['of an unknown method', 'BREW /v2/ HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['with 100 KiB of headers', `GET /v2/ HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`, 431],
  ])('%s is refused in OCI’s words', async (_, text, status) => {
    const front = await startFront(taking);
    const client = new RawConnection(front.port);
    client.write(text).catch(() => {});
    const answer = await client.answer();
    expect([answer.status, code(answer)]).toEqual([status, 'UNSUPPORTED']);
    await client.closed();
  });

  it('is not one with a long token', async () => {
    const front = await startFront(taking);
    const client = new RawConnection(front.port);
    await client.head('GET /v2/ HTTP/1.1', `Authorization: Bearer ${'x'.repeat(40_000)}`);
    expect((await client.answer()).status).toBe(200);
  });
});

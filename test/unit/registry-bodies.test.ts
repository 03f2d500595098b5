// The body of a request, without a connection: read as fast as its reader asks, under a clock, and drained; and which are under way.

import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClientGone, IncomingBody } from '../../registry/front/incoming-body.ts';
import { OciError } from '../../registry/front/oci-errors.ts';
import { Traffic } from '../../registry/front/traffic.ts';

const bounds = { idleMs: 120_000, drainedBytes: 10, drainMs: 30_000 };

const { sleep } = vi.hoisted(() => ({ sleep: vi.fn<(ms: number) => Promise<void>>() }));
vi.mock('node:timers/promises', () => ({ setTimeout: sleep }));

/** Streams tell what has happened in turns of the event loop of their own. */
const turns = () => new Promise((resolve) => setImmediate(resolve));

function open() {
  const request = new IncomingMessage(new Socket());
  const onFirstRead = vi.fn();
  const body = new IncomingBody(request, bounds, onFirstRead);
  return {
    ...{ request, onFirstRead, body },
    /** The request has come to its end. */
    end: () => {
      request.complete = true;
      request.push(null);
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const chunkOf = (text: string) => ({ done: false, value: Buffer.from(text) });
const done = { done: true, value: undefined };

describe('a body that is read', () => {
  it('gives its chunks in order, and then its end as often as it is asked', async () => {
    const { request, body, end } = open();
    const first = body.next();
    request.push('ab');
    expect(await first).toEqual(chunkOf('ab'));
    request.push('cd');
    request.push('ef');
    expect(await body.next()).toEqual(chunkOf('cd'));
    expect(await body.next()).toEqual(chunkOf('ef'));
    end();
    expect(await body.next()).toEqual(done);
    expect(await body.next()).toEqual(done);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is asked for when it is read first, and once', async () => {
    const { request, body, onFirstRead } = open();
    expect(onFirstRead).not.toHaveBeenCalled();
    const first = body.next();
    expect(onFirstRead).toHaveBeenCalledTimes(1);
    request.push('ab');
    await first;
    const second = body.next();
    request.push('cd');
    await second;
    expect(onFirstRead).toHaveBeenCalledTimes(1);
    expect(request.listenerCount('data')).toBe(1);
  });

  it('is held back while nobody asks, and keeps what comes all the same', async () => {
    const { request, body } = open();
    const first = body.next();
    expect(request.isPaused()).toBe(false);
    request.push('ab');
    await first;
    expect(request.isPaused()).toBe(true);
    for (const text of ['cd', 'ef']) {
      request.emit('data', Buffer.from(text));
    }
    expect(request.isPaused()).toBe(true);
    expect(await body.next()).toEqual(chunkOf('cd'));
    expect(await body.next()).toEqual(chunkOf('ef'));
    void body.next().catch(() => {});
    expect(request.isPaused()).toBe(false);
  });

  it('gives what has come before it tells that the client has gone', async () => {
    const { request, body } = open();
    const first = body.next();
    request.emit('data', Buffer.from('ab'));
    request.emit('data', Buffer.from('cd'));
    request.emit('close');
    expect(await first).toEqual(chunkOf('ab'));
    expect(await body.next()).toEqual(chunkOf('cd'));
    await expect(body.next()).rejects.toThrow(ClientGone);
  });

  it.each(['close', 'error'])(
    'that ends with %s before its end is of a client that has gone',
    async (event) => {
      const { request, body } = open();
      const waiting = body.next();
      request.emit(event, new Error('ECONNRESET'));
      const gone = await waiting.catch((error: unknown) => error);
      expect(gone).toBeInstanceOf(ClientGone);
      expect(gone).toMatchObject({ name: 'ClientGone', message: 'the client has gone away' });
      request.emit('end');
      await expect(body.next()).rejects.toBe(gone);
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  it('of a connection that has ended before is of a client that has gone', async () => {
    const { request, body } = open();
    request.destroy();
    await turns();
    await expect(body.next()).rejects.toThrow(ClientGone);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that has come whole is whole, whatever comes of its connection', async () => {
    const { request, body } = open();
    const waiting = body.next();
    request.emit('end');
    request.emit('close');
    expect(await waiting).toEqual(done);
    expect(await body.next()).toEqual(done);
  });

  it('that stands still is refused, and its reader’s own pauses are no such time', async () => {
    const { request, body } = open();
    const first = body.next();
    vi.advanceTimersByTime(119_999);
    request.push('ab');
    await first;
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(500_000);
    const second = body.next();
    vi.advanceTimersByTime(120_000);
    const stalled = await second.catch((error: unknown) => error);
    expect(stalled).toBeInstanceOf(OciError);
    expect(stalled).toMatchObject({
      ...{ code: 'BLOB_UPLOAD_INVALID', status: 408 },
      message: 'no byte of the body came for 120 s: send it again',
    });
    await expect(body.next()).rejects.toBe(stalled);
  });

  it('can be left, and what is left of it stays', async () => {
    const { request, body, end } = open();
    expect(body[Symbol.asyncIterator]()).toBe(body);
    request.push('ab');
    for await (const chunk of body) {
      expect(String(chunk)).toBe('ab');
      break;
    }
    expect(await body.return()).toEqual(done);
    request.push('cd');
    expect(await body.next()).toEqual(chunkOf('cd'));
    end();
    expect(await body.next()).toEqual(done);
  });
});

describe('a body that is drained', () => {
  it('is read to its end and thrown away, and asks for nothing', async () => {
    const { request, body, end, onFirstRead } = open();
    const over = vi.fn();
    const rest = body.drain()?.then(over);
    request.push('abcde');
    request.push('fghij');
    await turns();
    expect([over.mock.calls.length, request.destroyed]).toEqual([0, false]);
    end();
    await rest;
    expect(onFirstRead).not.toHaveBeenCalled();
    request.destroy();
    await turns();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is over when its connection is', async () => {
    const { request, body } = open();
    const rest = body.drain();
    request.destroy();
    await rest;
    await turns();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('and is too long ends with the connection', async () => {
    const { request, body } = open();
    const rest = body.drain();
    request.push('abcde');
    request.push('fghij');
    await turns();
    expect(request.destroyed).toBe(false);
    request.push('k');
    await rest;
    expect(request.destroyed).toBe(true);
  });

  it('and comes too slowly ends with the connection', async () => {
    const { request, body } = open();
    const rest = body.drain();
    vi.advanceTimersByTime(29_999);
    expect(request.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(request.destroyed).toBe(true);
    await rest;
  });

  it('amid its bytes is not given to whoever read it', async () => {
    const { request, body, end } = open();
    const first = body.next();
    request.push('ab');
    await first;
    request.emit('data', Buffer.from('cd'));
    const waiting = vi.fn();
    const rest = body.drain();
    request.push('ef');
    end();
    await rest;
    await body.next().then(waiting);
    expect(waiting.mock.calls).toEqual([[done]]);
    expect(request.listenerCount('data')).toBe(1);
  });

  it('forgets who waited, and the clock of that', async () => {
    const { request, body, end } = open();
    const waited = vi.fn();
    body.next().then(waited, waited);
    expect(vi.getTimerCount()).toBe(1);
    const rest = body.drain();
    expect(vi.getTimerCount()).toBe(1);
    request.push('ab');
    end();
    await rest;
    await turns();
    expect(waited).not.toHaveBeenCalled();
  });

  it('is nothing where all of it has been read', async () => {
    const { request, body, end } = open();
    const read = body.next();
    end();
    await read;
    await turns();
    expect(request.readableEnded).toBe(true);
    expect(body.drain()).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is nothing where the connection has ended', () => {
    const { request, body } = open();
    request.destroy();
    expect(body.drain()).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is nothing to wait for where it has come whole, and is read on', async () => {
    const { request, body, end } = open();
    request.push('ab');
    end();
    expect(body.drain()).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
    await turns();
    expect(request.readableEnded).toBe(true);
  });
});

describe('the requests that are under way', () => {
  let nowMs: number;
  beforeEach(() => {
    nowMs = 5_000;
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    sleep.mockReset().mockImplementation(async (ms) => {
      nowMs += ms;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  function begin(traffic: Traffic, method = 'POST') {
    const request = new IncomingMessage(new Socket());
    request.method = method;
    const response = new ServerResponse(request);
    const listener = vi.fn();
    traffic.counted(listener)(request, response);
    expect(listener.mock.calls).toEqual([[request, response]]);
    return {
      socket: request.socket,
      request,
      response,
      end: () => {
        request.emit('close');
        response.emit('close');
      },
    };
  }

  it('are those that are not both answered and read', () => {
    const traffic = new Traffic();
    const first = begin(traffic);
    const second = begin(traffic);
    expect([traffic.has(first.socket), traffic.has(second.socket)]).toEqual([true, true]);
    expect(traffic.has(new Socket())).toBe(false);
    first.request.emit('close');
    expect(traffic.has(first.socket)).toBe(true);
    first.response.emit('close');
    expect([traffic.has(first.socket), traffic.has(second.socket)]).toEqual([false, true]);
  });

  it('are waited for no longer than is said', async () => {
    const traffic = new Traffic();
    await traffic.ended(1_000, 1_000);
    expect(sleep).not.toHaveBeenCalled();
    const { end } = begin(traffic);
    await traffic.ended(0, 0);
    expect(sleep).not.toHaveBeenCalled();
    await traffic.ended(0, 100);
    expect(sleep.mock.calls).toEqual([[20], [20], [20], [20], [20]]);
    sleep.mockImplementationOnce(async () => end());
    sleep.mockClear();
    await traffic.ended(0, 100);
    expect(sleep).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['POST', 5],
    ['PATCH', 5],
    ['GET', 0],
    ['HEAD', 0],
  ])('may be followed by the next of a push for a while: %s', async (method, looks) => {
    const traffic = new Traffic();
    begin(traffic, method).end();
    await traffic.ended(100, 60_000);
    expect(sleep).toHaveBeenCalledTimes(looks);
  });
});

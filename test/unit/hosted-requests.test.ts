// One line of the log for each request of the registry endpoint, and session tokens at the endpoint itself.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ProxyError } from '../../api/proxy-error.ts';
import type { SessionToken } from '../../api/session-tokens.ts';
import type { IncomingCall } from '../../lambda/incoming-call.ts';
import type { ServeServices } from '../../lambda/serve.ts';
import { unrecorded } from '../../registry/hosted/request-record.ts';
import { RequestRecords } from '../../registry/hosted/request-records.ts';
import { sessionTokenRoutes } from '../../registry/hosted/session-tokens.ts';
import { recordedLines } from '../support/recorded-lines.ts';
import { unreachedServices } from '../support/unreached-services.ts';

type Exchange = (
  call: Pick<IncomingCall, 'headers' | 'abortSignal' | 'record'>,
  to: ServeServices,
) => Promise<SessionToken>;
const { exchange } = vi.hoisted(() => ({ exchange: vi.fn<Exchange>() }));
vi.mock('../../lambda/serve.ts', () => ({ exchange }));

const origin = { requestId: 'r-1', sourceIp: '192.0.2.1' };
const refused = { ...origin, method: 'PUT', status: 403, code: 'AccessDeniedException', fault: undefined };
const served = { ...origin, method: 'PUT', status: 201, code: undefined, fault: undefined };
const error = new ProxyError('AccessDeniedException');

function open() {
  const { lines, beginRecord } = recordedLines();
  return { lines, records: new RequestRecords(beginRecord) };
}

describe('the line of a request', () => {
  it('has what its calls have said: first what it serves, last what was added, and all that was counted', () => {
    const { lines, records } = open();
    const { call } = records.begin(origin);
    call.serves('InitiateLayerUpload');
    call.serves('UploadLayerPart');
    call.add({ partFirstByte: 3, partLastByte: 4, repository: 'a' });
    call.add({ partFirstByte: 5, partLastByte: 6 });
    call.count('Bytes', 7);
    call.count('Bytes', 8);
    call.count('Resumes');
    call.count('Resumes');
    call.warn('a warning', error);
    call.end(200);
    expect(lines[0]).toMatchObject({ counts: {}, ends: 0 });
    records.end(served);
    expect(lines).toEqual([
      {
        ...{ origin, operation: 'InitiateLayerUpload', warnings: [['a warning', error]] },
        members: {
          partFirstByte: 3,
          partLastByte: 6,
          repository: 'a',
          bytes: 15,
          method: 'PUT',
          code: undefined,
        },
        counts: { Bytes: 15, Resumes: 2 },
        ...{ ends: 1, status: 201, error: undefined },
      },
    ]);
  });

  it('has no bytes where none were counted', () => {
    const { lines, records } = open();
    records.begin(origin);
    records.end(served);
    expect(lines[0]?.members).toStrictEqual({ method: 'PUT' });
  });

  it('has what refused it, if that is what it was answered', () => {
    const { lines, records } = open();
    records.begin(origin).refuse(error);
    records.end(refused);
    records.begin({ ...origin, requestId: 'r-2' }).refuse(error);
    records.end({ ...served, requestId: 'r-2' });
    expect(lines).toMatchObject([
      { status: 403, error, members: { method: 'PUT' } },
      { status: 201, error: undefined, members: { code: undefined } },
    ]);
    expect(lines[0]?.members).not.toHaveProperty('code');
  });

  it('has the front’s own refusal by its code', () => {
    const { lines, records } = open();
    records.begin(origin).refuse(error);
    records.end({ ...refused, status: 400, code: 'DIGEST_INVALID' });
    expect(lines[0]).toMatchObject({ status: 400, error: undefined, members: { code: 'DIGEST_INVALID' } });
  });

  it('has a fault as what failed', () => {
    const { lines, records } = open();
    records.begin(origin);
    const fault = new TypeError('x is undefined');
    records.end({ ...served, status: 500, fault });
    expect(lines[0]).toMatchObject({ status: 500, error: { code: 'InternalFailure', cause: fault } });
  });

  it('is there for one that never came to the registry, and is another’s for the next of its name', () => {
    const { lines, records } = open();
    records.end({ ...served, sourceIp: undefined });
    expect(lines).toMatchObject([{ origin: { requestId: 'r-1', sourceIp: '' }, ends: 1, status: 201 }]);
    records.begin(origin).refuse(error);
    records.end(refused);
    records.end(refused);
    expect(lines.map(({ ends }) => ends)).toEqual([1, 1, 1]);
    expect(lines[2]).toMatchObject({ origin, error: undefined });
  });

  it('of the process is no request’s', () => {
    const { lines, records } = open();
    records.warn('a warning', error);
    expect(lines).toEqual([
      {
        ...{ origin: { requestId: '', sourceIp: '' }, members: {}, counts: {}, ends: 0 },
        warnings: [['a warning', error]],
      },
    ]);
  });
});

it('what the endpoint asks for itself has no line', () => {
  expect(() => {
    unrecorded.serves('PutImage');
    unrecorded.add({ bytes: 1 });
    unrecorded.count('Bytes', 1);
    unrecorded.warn('a warning', error);
    unrecorded.end(200);
  }).not.toThrow();
});

async function neverAsked(): Promise<never> {
  throw new Error('nobody asks');
}

describe('a session token', () => {
  beforeEach(() => {
    exchange.mockReset();
  });
  const services = {
    ...unreachedServices,
    tokens: {
      ...unreachedServices.tokens,
      sessionTokens: { create: () => neverAsked(), verify: () => neverAsked() },
    },
  };
  const created = { sessionToken: 'eups_x', expiresAt: '2026-11-26T12:00:00.000Z' };
  const standing = { 'cache-control': 'no-store' };

  function route(to: ServeServices = services) {
    const { lines, records } = open();
    const routes = sessionTokenRoutes(to, records);
    const [only] = routes;
    const { signal } = new AbortController();
    const ask = (headers = {}) => only?.methods.POST?.({ ...origin, abortSignal: signal, headers });
    const end = (status: number, code?: string) => records.end({ ...served, method: 'POST', status, code });
    return { routes, ask, lines, end, signal };
  }

  it('is asked for by POST alone', () => {
    const { routes } = route();
    expect(routes.map(({ path, methods }) => [path, Object.keys(methods)])).toEqual([
      ['/session-tokens', ['POST']],
    ]);
  });

  it('is not to be had where the proxy gives none', () => {
    expect(route(unreachedServices).routes).toEqual([]);
  });

  it('is given for the token of the request, and is kept by nobody on the way', async () => {
    exchange.mockResolvedValue(created);
    const { ask, lines, end, signal } = route();
    const headers = { authorization: 'Bearer t', 'x-amz-security-token': 's', cookie: 'c' };
    expect(await ask(headers)).toEqual({
      answer: {
        status: 201,
        headers: { 'content-type': 'application/json', ...standing },
        body: Buffer.from(JSON.stringify(created)),
      },
    });
    const [[call, to] = []] = exchange.mock.calls;
    expect(to).toBe(services);
    expect(call?.headers).toEqual({ authorization: 'Bearer t', 'x-amz-security-token': 's' });
    expect(call?.abortSignal).toBe(signal);
    call?.record.add({ principal: 'p' });
    end(201);
    expect(lines).toMatchObject([
      { operation: 'CreateSessionToken', members: { principal: 'p' }, status: 201 },
    ]);
  });

  it.each([
    [undefined, undefined],
    [[], undefined],
    [['one'], 'one'],
    [['one', 'other'], 'one'],
  ])('is given for one token at most: of %j for %s', async (sent, used) => {
    exchange.mockResolvedValue(created);
    await route().ask({ 'x-amz-security-token': sent });
    expect(exchange.mock.calls[0]?.[0].headers).toStrictEqual({
      ...{ authorization: undefined, 'x-amz-security-token': used },
    });
  });

  it('is refused as by the resource API, and the log says so', async () => {
    const throttled = new ProxyError('ServiceUnavailableException', 'later', { retryAfterSeconds: 9 });
    exchange.mockRejectedValue(throttled);
    const { ask, lines, end } = route();
    const outcome = await ask();
    expect(outcome).toMatchObject({
      code: 'ServiceUnavailableException',
      answer: {
        status: 503,
        headers: { 'content-type': 'application/problem+json', ...standing, 'Retry-After': '9' },
      },
    });
    const { body } = outcome?.answer ?? {};
    expect(JSON.parse(String(body))).toMatchObject({ requestId: 'r-1', detail: 'later', status: 503 });
    end(503, 'ServiceUnavailableException');
    expect(lines).toMatchObject([{ operation: 'CreateSessionToken', status: 503, error: throttled }]);
  });

  it('fails by a fault as any request does', async () => {
    const fault = Object.assign(new Error('x is undefined'), { code: 'InternalFailure' });
    exchange.mockRejectedValue(fault);
    await expect(route().ask()).rejects.toBe(fault);
  });
});

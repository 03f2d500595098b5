// The registry endpoint as a server: what it hangs together, who is logged as whom, and how it ends.

import { request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { OperationName } from '../../api/operations.ts';
import type { IncomingCall } from '../../lambda/incoming-call.ts';
import { type HostedServerOptions, startHostedServer } from '../../registry/hosted/server.ts';
import type { TaskProtectionOptions } from '../../registry/hosted/task-protection.ts';
import { digestOf } from '../support/random-bytes.ts';
import { recordedLines } from '../support/recorded-lines.ts';
import { unreachedServices } from '../support/unreached-services.ts';

type Step = (call: IncomingCall) => Promise<unknown>;
const { serve, addMetric, publish, protectTask, letGo } = vi.hoisted(() => ({
  serve: vi.fn<Step>(),
  addMetric: vi.fn(),
  publish: vi.fn(),
  protectTask: vi.fn<(options: TaskProtectionOptions) => () => Promise<void>>(),
  letGo: vi.fn(async () => {}),
}));
vi.mock('../../lambda/serve.ts', () => ({
  serve,
  decide: async () => {},
  identify: async () => ({ type: 'Client', id: 'a' }),
}));
vi.mock('../../registry/hosted/task-protection.ts', () => ({ protectTask }));
vi.mock('@aws-lambda-powertools/metrics', async (original) => ({
  ...(await original<typeof import('@aws-lambda-powertools/metrics')>()),
  Metrics: class {
    addMetric = addMetric;
    publishStoredMetrics = publish;
  },
}));

const repository = '/v2/team-a/app';
const digest = digestOf('x');
let answers: Partial<Record<OperationName, () => unknown>>;

beforeEach(() => {
  vi.clearAllMocks();
  protectTask.mockReturnValue(letGo);
  answers = {};
  serve.mockImplementation(async ({ operation }) => answers[operation]?.());
});
afterEach(() => {
  vi.useRealTimers();
});

async function start(options: Partial<HostedServerOptions> = {}) {
  const { lines, beginRecord } = recordedLines();
  const server = await startHostedServer({
    services: { ...unreachedServices, beginRecord, registries: ['ecr'] },
    ...{ host: '127.0.0.1', port: 0, registry: 'ecr', healthPath: '/healthz', blobMode: 'redirect' },
    bounds: { uploads: 2, uploadsPerClient: 1, idleMs: 10_000, keepAliveMs: 5_000 },
    ...{ behindLoadBalancer: false, agentUri: undefined },
    ...options,
  });
  onTestFinished(() => server.close());
  const ask = (path: string, method = 'GET', headers: Record<string, string> = {}) =>
    new Promise<number | undefined>((resolve, reject) => {
      const { port } = new URL(server.url);
      request({ port, path, method, headers, agent: false }, (answer) => {
        buffer(answer).then(() => resolve(answer.statusCode), reject);
      })
        .on('error', reject)
        .end();
    });
  return { server, ask, lines };
}

describe('a request', () => {
  it('is one line of the log, but for those of the load balancer itself', async () => {
    const { ask, lines } = await start();
    expect(await ask('/healthz')).toBe(200);
    expect(await ask('/v2/', 'GET', { 'x-forwarded-for': '198.51.100.7' })).toBe(200);
    expect(lines).toMatchObject([{ origin: { sourceIp: '127.0.0.1' }, status: 200, ends: 1 }]);
  });

  it.each<[Record<string, string>, string]>([
    [{ 'x-forwarded-for': '203.0.113.1, 198.51.100.7' }, '198.51.100.7'],
    [{ 'x-forwarded-for': '198.51.100.7' }, '198.51.100.7'],
    [{ 'x-forwarded-for': ' 203.0.113.1,198.51.100.7 ' }, '198.51.100.7'],
    [{ 'x-forwarded-for': '203.0.113.1, ' }, '127.0.0.1'],
    [{}, '127.0.0.1'],
  ])('behind a load balancer is of the address that it has added: %j', async (headers, sourceIp) => {
    const { ask, lines } = await start({ behindLoadBalancer: true });
    await ask('/v2/', 'GET', headers);
    expect(lines).toMatchObject([{ origin: { sourceIp } }]);
  });

  it('reaches the registry that is configured, in the way that is configured', async () => {
    answers.GetDownloadUrlForLayer = () => ({ downloadUrl: 'https://bucket.test/' });
    const { ask } = await start();
    expect(await ask(`${repository}/blobs/${digest}`)).toBe(307);
    const other = await start({ registry: 'ecr-public', blobMode: 'stream' });
    vi.stubGlobal('fetch', async () => new Response('x', { headers: { 'content-length': '1' } }));
    expect(await other.ask(`${repository}/blobs/${digest}`)).toBe(200);
    vi.unstubAllGlobals();
    expect(serve.mock.calls.map(([{ registry }]) => registry)).toEqual(['ecr', 'ecr-public']);
  });

  it('may be for a session token where the proxy gives them', async () => {
    const { ask } = await start();
    expect(await ask('/session-tokens', 'POST')).toBe(405);
    const unasked = async (): Promise<never> => Promise.reject(new Error('nobody asks'));
    const tokens = { ...unreachedServices.tokens, sessionTokens: { create: unasked, verify: unasked } };
    const { lines, beginRecord } = recordedLines();
    const services = { ...unreachedServices, tokens, beginRecord, registries: ['ecr'] as const };
    const other = await start({ services });
    expect(await other.ask('/session-tokens', 'POST')).toBe(500);
    expect(lines).toMatchObject([{ operation: 'CreateSessionToken', ends: 1 }]);
  });
});

describe('uploads', () => {
  const patch = `${repository}/blobs/uploads/7-aa`;

  it('are bounded, counted once a minute, and keep their task', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { promise, resolve } = Promise.withResolvers<unknown>();
    answers.UploadLayerPart = () => promise;
    const { server, ask, lines } = await start({ agentUri: 'http://agent.test' });
    const [[protection] = []] = protectTask.mock.calls;
    expect(protection?.agentUri).toBe('http://agent.test');
    expect(protection?.isBusy()).toBe(false);
    const headers = { 'content-length': '0' };
    vi.advanceTimersByTime(59_999);
    expect(addMetric).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(addMetric.mock.calls).toEqual([['UploadsInFlight', 'Count', 0]]);
    const first = ask(`${repository}/blobs/uploads/7-aa?digest=${digest}`, 'PUT', headers);
    answers.CompleteLayerUpload = () => promise;
    await expect.poll(() => server.uploadsUnderWay()).toBe(1);
    expect(await ask(patch, 'PATCH', headers)).toBe(503);
    expect(protection?.isBusy()).toBe(true);
    vi.advanceTimersByTime(60_000);
    expect(addMetric.mock.calls.at(-1)).toEqual(['UploadsInFlight', 'Count', 1]);
    expect(publish).toHaveBeenCalledTimes(2);
    resolve({ layerDigest: digest });
    expect(await first).toBe(201);
    protection?.warn('no agent');
    expect(lines.at(-1)?.warnings).toEqual([['the protection of this task could not be set', 'no agent']]);
    expect(letGo).not.toHaveBeenCalled();
    await server.close();
    expect(letGo).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(600_000);
    expect(publish).toHaveBeenCalledTimes(2);
  });

  it('keep no task that is not to be protected', async () => {
    const { server } = await start();
    await server.close();
    expect(protectTask).not.toHaveBeenCalled();
  });
});

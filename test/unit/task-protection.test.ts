// When a task asks Amazon ECS not to be ended, and when it lets go: by a clock of the test's own.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { protectTask } from '../../registry/hosted/task-protection.ts';

/** A pause passes its time at once, and then whatever the test has for it happens. */
const { sleep } = vi.hoisted(() => ({
  sleep:
    vi.fn<(ms: number, value: undefined, options: { signal: AbortSignal; ref: boolean }) => Promise<void>>(),
}));
vi.mock('node:timers/promises', () => ({ setTimeout: sleep }));

type Asked = { readonly atSeconds: number; readonly body: object };

/** An agent of Amazon ECS. */
let asked: Asked[];
let answer: (body: { ProtectionEnabled: boolean }) => Response;
let nowMs = 0;
const startMs = 7_000;

const granted = ({ ProtectionEnabled }: { ProtectionEnabled: boolean }) =>
  Response.json({ protection: { ProtectionEnabled, TaskArn: 'arn' } });

beforeEach(() => {
  asked = [];
  answer = granted;
  nowMs = startMs;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  vi.stubGlobal(
    'fetch',
    vi.fn(async (url: string, { body, signal, ...rest }: { body: string; signal: AbortSignal }) => {
      expect([url, signal.aborted, rest]).toEqual([
        'http://agent.test/api/task/task-protection/v1/state',
        false,
        { method: 'PUT', headers: { 'content-type': 'application/json' } },
      ]);
      asked.push({ atSeconds: (nowMs - startMs) / 1_000, body: JSON.parse(body) });
      return answer(JSON.parse(body));
    }),
  );
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** As a pause does, which is ended by its signal. */
async function untilAborted(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  }
  throw signal.reason;
}

/** Looks as often as it takes until the time is over. @param isBusyAt in seconds from the start */
async function watch(forSeconds: number, isBusyAt: (seconds: number) => boolean) {
  const warnings: unknown[] = [];
  const over = Promise.withResolvers<void>();
  sleep.mockReset().mockImplementation(async (_ms, _value, { signal }) => {
    nowMs += 1_000;
    if (nowMs - startMs > forSeconds * 1_000) {
      over.resolve();
      await untilAborted(signal);
    }
  });
  const stop = protectTask({
    agentUri: 'http://agent.test/api/task',
    isBusy: () => isBusyAt((nowMs - startMs) / 1_000),
    warn: (failure) => void warnings.push(failure),
  });
  await over.promise;
  const before = [...asked];
  await stop();
  for (const [ms, , { ref }] of sleep.mock.calls) {
    expect([ms, ref]).toEqual([1_000, false]);
  }
  return { before, afterwards: asked.slice(before.length), warnings };
}

const held = (atSeconds: number): Asked => ({
  atSeconds,
  body: { ProtectionEnabled: true, ExpiresInMinutes: 60 },
});
const letGo = (atSeconds: number): Asked => ({ atSeconds, body: { ProtectionEnabled: false } });

describe('a task', () => {
  it('asks for nothing while it has no uploads', async () => {
    expect(await watch(100, () => false)).toEqual({ before: [], afterwards: [], warnings: [] });
  });

  it('is protected while it has uploads and half a minute after, and again with the next', async () => {
    const isBusyAt = (seconds: number) => (seconds >= 3 && seconds <= 5) || seconds === 50;
    const { before, afterwards, warnings } = await watch(100, isBusyAt);
    expect(before).toEqual([held(3), letGo(35), held(50), letGo(80)]);
    expect([afterwards, warnings]).toEqual([[], []]);
  });

  it('stays protected between the requests of a push', async () => {
    const { before } = await watch(200, (seconds) => seconds % 29 === 0);
    expect(before).toEqual([held(0)]);
  });

  it('asks again in time, and lets go when it ends', async () => {
    const { before, afterwards } = await watch(1_250, () => true);
    expect(before).toEqual([held(0), held(600), held(1_200)]);
    expect(afterwards).toEqual([letGo(1_251)]);
  });

  // Source: the Amazon ECS developer guide, "Task scale-in protection endpoint"; a failure comes with status 200.
  it.each<[string, () => Response, RegExp]>([
    [
      'THROTTLED',
      () => Response.json({ error: { Code: 'THROTTLED' } }, { status: 429 }),
      /^Error: task protection: 429 \{"error":\{"Code":"THROTTLED"\}\}$/,
    ],
    [
      'a status that is none of a success',
      () => Response.json({ protection: { ProtectionEnabled: true } }, { status: 500 }),
      /^Error: task protection: 500 /,
    ],
    [
      'DEPLOYMENT_BLOCKED',
      () => Response.json({ failure: { Arn: 'arn', Reason: 'DEPLOYMENT_BLOCKED' } }),
      /^Error: task protection: 200 \{"failure":.*DEPLOYMENT_BLOCKED/,
    ],
    [
      'the opposite of what was asked for',
      () => Response.json({ protection: { ProtectionEnabled: false } }),
      /^Error: task protection: 200 /,
    ],
    ['a page', () => Response.json('x'.repeat(1_000)), /^Error: task protection: 200 "x{499}$/],
    ['no JSON', () => new Response('busy'), /^SyntaxError: /],
    [
      'nothing',
      () => {
        throw new TypeError('fetch failed');
      },
      /^TypeError: fetch failed$/,
    ],
  ])('that is answered %s says so, and asks again after a pause', async (_, refuse, message) => {
    answer = refuse;
    const { before, afterwards, warnings } = await watch(40, () => true);
    expect(before).toEqual([held(0), held(15), held(30)]);
    expect(afterwards).toEqual([]);
    expect(warnings.map(String)).toEqual(Array(3).fill(expect.stringMatching(message)));
  });

  it('that cannot let go asks again after a pause, and when it ends', async () => {
    answer = (body) => (body.ProtectionEnabled ? granted(body) : new Response(null, { status: 500 }));
    const { before, afterwards, warnings } = await watch(50, (seconds) => seconds === 0);
    expect(before).toEqual([held(0), letGo(30), letGo(45)]);
    expect(afterwards).toEqual([letGo(51)]);
    expect(warnings.length).toBe(3);
  });

  it('gives its agent five seconds', async () => {
    const timeout = vi.spyOn(AbortSignal, 'timeout');
    await watch(1, () => true);
    expect(timeout.mock.calls).toEqual([[5_000], [5_000]]);
  });

  it('looks as often as it is told to', async () => {
    sleep.mockReset().mockImplementation((_ms, _value, { signal }) => untilAborted(signal));
    const options = { agentUri: 'http://agent.test/api/task', isBusy: () => false, warn: () => {} };
    const stop = protectTask({ ...options, times: { lookEveryMs: 5 } });
    await stop();
    expect(sleep.mock.calls.map(([ms]) => ms)).toEqual([5]);
  });
});

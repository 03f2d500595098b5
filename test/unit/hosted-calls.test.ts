// How the registry endpoint does what one operation asks for: again where that helps, and not longer than clients wait.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type ErrorCode, errorCodes, errors } from '../../api/errors.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import type { IncomingCall } from '../../lambda/incoming-call.ts';
import type { ServeServices } from '../../lambda/serve.ts';
import { answerMs, Unanswered } from '../../registry/hosted/answer-time.ts';
import { Calls, patience } from '../../registry/hosted/calls.ts';
import { unrecorded } from '../../registry/hosted/request-record.ts';
import { PortError } from '../../registry/port.ts';
import { unreachedServices } from '../support/unreached-services.ts';

const { serve, decide } = vi.hoisted(() => ({
  serve: vi.fn<(call: IncomingCall, services: ServeServices) => Promise<unknown>>(),
  decide: vi.fn<(call: IncomingCall, services: ServeServices) => Promise<void>>(),
}));
vi.mock('../../lambda/serve.ts', () => ({ serve, decide }));

const members = { repositoryName: 'team-a/app' };
const headers = { authorization: 'Bearer t' };
const output = { uploadId: 'u', partSize: 1 };
const busy = new ProxyError('ThrottlingException');

function open(more: Partial<typeof patience> = {}, tellNearlyUsed?: (text: string) => void) {
  const pauses: number[] = [];
  const pauseMs = (attempt: number) => {
    pauses.push(attempt);
    return 0;
  };
  const context = { services: unreachedServices, registry: 'ecr', headers, tellNearlyUsed } as const;
  const calls = new Calls({ ...context, patience: { attemptMs: 1_000, budgetMs: 1_000, pauseMs, ...more } });
  return { calls, pauses };
}

const options = () => ({ record: { ...unrecorded }, signal: new AbortController().signal });
const asked = () => serve.mock.calls.map(([call]) => call);

beforeEach(() => {
  serve.mockReset().mockResolvedValue(output);
  decide.mockReset().mockResolvedValue();
});

describe('an operation', () => {
  it('is served by the five steps, as its caller', async () => {
    const tell = vi.fn();
    const { calls } = open({}, tell);
    const { record, signal } = options();
    expect(await calls.send('InitiateLayerUpload', members, { record, signal })).toBe(output);
    expect(serve).toHaveBeenCalledTimes(1);
    const [[call, to] = []] = serve.mock.calls;
    expect(to).toBe(unreachedServices);
    const { readMembers, abortSignal, ...rest } = call ?? {};
    expect(rest).toEqual({
      ...{ operation: 'InitiateLayerUpload', registry: 'ecr', isRepeated: false, sending: 'direct' },
      ...{ headers, refusesUnknownMembers: true, tellNearlyUsed: tell, record },
    });
    expect(readMembers?.()).toBe(members);
    expect(abortSignal?.aborted).toBe(false);
  });

  it('is ended with its own time, and not when its client has gone', async () => {
    const timeout = vi.spyOn(AbortSignal, 'timeout');
    const { calls } = open({ attemptMs: 7_000 });
    await calls.send('InitiateLayerUpload', members, { ...options(), signal: AbortSignal.abort() });
    expect(timeout.mock.calls).toEqual([[7_000]]);
    expect(asked()[0]?.abortSignal).toBe(timeout.mock.results[0]?.value);
    timeout.mockRestore();
  });

  it('is decided about without being done', async () => {
    const { calls } = open();
    const { record } = options();
    await calls.decide('InitiateLayerUpload', members, { record });
    expect(decide.mock.calls).toEqual([
      [
        expect.objectContaining({ operation: 'InitiateLayerUpload', isRepeated: false, record }),
        unreachedServices,
      ],
    ]);
    expect(serve).not.toHaveBeenCalled();
    decide.mockRejectedValue(busy);
    await expect(calls.decide('InitiateLayerUpload', members, { record })).rejects.toBe(busy);
  });
});

describe('an operation that fails', () => {
  const passing = errorCodes.filter((code) => {
    const { sendAgain } = errors[code];
    return typeof sendAgain === 'object' && 'afterSeconds' in sendAgain;
  });

  it('is known by its row of the error table', () => {
    expect(passing).toContain('ServerException');
    expect(passing).not.toContain('AccessDeniedException');
  });

  it.each(passing)('by %s is done again, and says so', async (code: ErrorCode) => {
    serve.mockRejectedValueOnce(new ProxyError(code)).mockRejectedValueOnce(new ProxyError(code));
    const { calls, pauses } = open();
    expect(await calls.send('InitiateLayerUpload', members, options())).toBe(output);
    expect(asked().map(({ isRepeated }) => isRepeated)).toEqual([false, true, true]);
    expect(pauses).toEqual([1, 2]);
  });

  it.each(errorCodes.filter((code) => !passing.includes(code)))('by %s is refused at once', async (code) => {
    const error = new ProxyError(code);
    serve.mockRejectedValue(error);
    await expect(open().calls.send('InitiateLayerUpload', members, options())).rejects.toBe(error);
    expect(serve).toHaveBeenCalledTimes(1);
  });

  it('by a fault is not done again', async () => {
    const fault = Object.assign(new Error('x is undefined'), { code: 'ThrottlingException' });
    serve.mockRejectedValue(fault);
    await expect(open().calls.send('InitiateLayerUpload', members, options())).rejects.toBe(fault);
    expect(serve).toHaveBeenCalledTimes(1);
  });

  it('is not done again for a client that has gone', async () => {
    serve.mockRejectedValue(busy);
    const gone = { ...options(), signal: AbortSignal.abort() };
    await expect(open().calls.send('InitiateLayerUpload', members, gone)).rejects.toBe(busy);
    expect(serve).toHaveBeenCalledTimes(1);
  });

  it('is done again while its time lasts, pauses counted', async () => {
    serve.mockRejectedValue(busy);
    let nowMs = 5_000;
    const now = vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    serve.mockImplementation(async () => {
      nowMs += 400;
      throw busy;
    });
    const times = { budgetMs: 1_000, pauseMs: () => 1 };
    await expect(open(times).calls.send('InitiateLayerUpload', members, options())).rejects.toBe(busy);
    expect(serve).toHaveBeenCalledTimes(3);
    serve.mockClear();
    const exactly = { budgetMs: 800, pauseMs: () => 0 };
    await expect(open(exactly).calls.send('InitiateLayerUpload', members, options())).rejects.toBe(busy);
    expect(serve).toHaveBeenCalledTimes(3);
    serve.mockClear();
    const long = { budgetMs: 1_000, pauseMs: () => 601 };
    await expect(open(long).calls.send('InitiateLayerUpload', members, options())).rejects.toBe(busy);
    expect(serve).toHaveBeenCalledTimes(1);
    now.mockRestore();
  });

  it('is done again after its pause', async () => {
    serve.mockRejectedValueOnce(busy);
    const from = performance.now();
    await open({ pauseMs: () => 60 }).calls.send('InitiateLayerUpload', members, options());
    expect(performance.now() - from).toBeGreaterThan(50);
  });

  it.each([
    [1, 125, 250],
    [2, 250, 500],
    [3, 500, 1_000],
    [5, 2_000, 4_000],
    [6, 2_000, 4_000],
    [20, 2_000, 4_000],
  ])('pauses after attempt %i for %i to %i ms, by chance', (attempt, least, most) => {
    const random = vi.spyOn(Math, 'random');
    random.mockReturnValue(0);
    expect(patience.pauseMs(attempt)).toBe(least);
    random.mockReturnValue(1);
    expect(patience.pauseMs(attempt)).toBe(most);
    random.mockRestore();
  });

  it('may take 45 s in all, and 30 s at a time', () => {
    expect(patience).toMatchObject({ attemptMs: 30_000, budgetMs: 45_000 });
  });
});

/** Clocks that would keep a process from ending. */
const clocks = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

describe('an answer that clients still wait for', () => {
  it('is what the work comes to, and leaves no clock behind', async () => {
    const before = clocks();
    const unanswered = new Unanswered();
    const late = vi.fn();
    expect(await unanswered.inTime(Promise.resolve(7), 60_000, late)).toBe(7);
    const failure = new Error('refused');
    await expect(unanswered.inTime(Promise.reject(failure), 60_000, late)).rejects.toBe(failure);
    await unanswered.ended();
    expect(late).not.toHaveBeenCalled();
    expect(clocks()).toBe(before);
  });

  it('comes before the clients that wait least have gone', () => expect(answerMs).toBe(18_000));

  const comeAgain = 'ECR has not finished yet. Send the same request again: it finds what is done by then.';

  it('is to come again where the work takes longer, and the work goes on', async () => {
    const unanswered = new Unanswered();
    const { promise, resolve } = Promise.withResolvers<number>();
    const late = vi.fn();
    const refused = await unanswered.inTime(promise, 1, late).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'ServiceUnavailableException', message: comeAgain });
    const states: string[] = [];
    const goesOn = refused instanceof PortError ? refused.goesOn?.then(() => states.push('over')) : undefined;
    const ended = unanswered.ended().then(() => states.push('ended'));
    await new Promise((wait) => setTimeout(wait, 5));
    expect(states).toEqual([]);
    resolve(1);
    await goesOn;
    await ended;
    expect(states.toSorted()).toEqual(['ended', 'over']);
    expect(late).not.toHaveBeenCalled();
  });

  it('that fails late fails for the log alone, and is forgotten', async () => {
    const unanswered = new Unanswered();
    const { promise, reject } = Promise.withResolvers<number>();
    const late = vi.fn();
    const forgotten = vi.spyOn(Set.prototype, 'delete');
    await expect(unanswered.inTime(promise, 1, late)).rejects.toMatchObject({ message: comeAgain });
    const failure = new Error('refused');
    forgotten.mockClear();
    reject(failure);
    await unanswered.ended();
    expect(late.mock.calls).toEqual([[failure]]);
    expect(forgotten.mock.calls).toEqual([[expect.any(Promise)]]);
    forgotten.mockRestore();
  });
});

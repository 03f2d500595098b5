// A client's token at the bridge: when the proxy is asked about it, and what its answers mean.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { tokenCheck } from '../../client/bridge/token-check.ts';
import { ProxyClient } from '../../client/proxy-client.ts';
import { problem } from '../support/scenes.ts';
import { playScript, type Reply } from '../support/scripted-api.ts';

const policy = { attempts: 2, baseMs: 1, capMs: 2, budgetMs: 5_000 };
const known = problem(400, 'InvalidParameterException');
const unknown = problem(401, 'UnrecognizedClientException');
const busy = problem(503, 'ServiceUnavailableException');

/** A check at a proxy that answers so, and is asked no oftener. */
async function checkAt(...replies: Reply[]) {
  const request = 'POST /ecr/layer-availability';
  const api = await playScript(replies.map((reply) => ({ request, reply })));
  return tokenCheck(new ProxyClient({ endpoint: api.url, token: 'eup_a_b' }), policy);
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});
const anHour = () => vi.advanceTimersByTime(3_600_000);

describe('a token', () => {
  it('that the proxy knows is asked about once a minute, however many requests come', async () => {
    const check = await checkAt(known, known);
    await Promise.all([check(), check(), check()]);
    vi.advanceTimersByTime(59_000);
    await check();
    vi.advanceTimersByTime(2_000);
    await check();
  });

  it('that the proxy does not know is refused, each time it comes', async () => {
    const check = await checkAt(unknown, unknown);
    for (const _ of [1, 2]) {
      await expect(check()).rejects.toMatchObject({ status: 401 });
    }
  });

  it('that was revoked is refused from the next question on', async () => {
    const check = await checkAt(known, unknown, busy, busy);
    await check();
    anHour();
    await expect(check()).rejects.toMatchObject({ status: 401 });
    await expect(check()).rejects.toMatchObject({ status: 503 });
  });

  it('that was known is not refused while the proxy is away, and is asked about once then', async () => {
    const check = await checkAt(known, busy, 'drop the connection', known);
    await check();
    anHour();
    await check();
    await check();
    await check();
  });

  const rows: [string, Reply[], object | undefined][] = [
    ['a proxy that is away for a moment', [busy, known], undefined],
    ['a proxy that stays away', [busy, busy], { status: 503 }],
    [
      'a gateway that lets nobody through',
      [{ status: 403, body: { message: 'Forbidden' } }],
      { status: 403 },
    ],
    ['another server', [{ status: 404, body: 'no' }], { status: 404 }],
    ['a server that says yes to anything', [{ status: 200, body: 'yes' }], { code: 'UnexpectedAnswer' }],
  ];
  it.each(rows)('at %s counts only when the proxy knew it', async (_, replies, refusal) => {
    const check = await checkAt(...replies);
    if (refusal) {
      await expect(check()).rejects.toMatchObject(refusal);
    } else {
      await check();
    }
  });
});

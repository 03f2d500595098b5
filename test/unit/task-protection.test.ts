// When a task asks Amazon ECS not to be ended, and when it lets go.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { protectTask } from '../../registry/hosted/task-protection.ts';

const ended: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(ended.splice(0).map((end) => end()));
});

const requested = z.object({ ProtectionEnabled: z.boolean() });

/** @param refusal in place of what Amazon ECS answers a request that it grants */
async function startAgent(refusal?: { status: number; body: object }) {
  const asked: unknown[] = [];
  const server = createServer(async (request, response) => {
    const body = await json(request);
    asked.push({ method: request.method, url: request.url, body });
    const { ProtectionEnabled } = requested.parse(body);
    response
      .writeHead(refusal?.status ?? 200)
      .end(JSON.stringify(refusal?.body ?? { protection: { ProtectionEnabled, TaskArn: 'arn' } }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  ended.push(async () => {
    server.close();
    server.closeAllConnections();
  });
  return { asked, agentUri: `http://127.0.0.1:${port}/api/task` };
}

const put = (body: object) => ({ method: 'PUT', url: '/api/task/task-protection/v1/state', body });
const held = put({ ProtectionEnabled: true, ExpiresInMinutes: 60 });
const letGo = put({ ProtectionEnabled: false });

describe('a task', () => {
  it('is protected while it has uploads and a while after, and again with the next', async () => {
    const { asked, agentUri } = await startAgent();
    let isBusy = false;
    const times = { lookEveryMs: 5, quietMs: 50, renewMs: 60_000 };
    const stop = protectTask({ agentUri, isBusy: () => isBusy, warn: () => {}, times });
    for (const expected of [[held], [held, letGo], [held, letGo, held]]) {
      isBusy = !isBusy;
      await vi.waitFor(() => expect(asked).toEqual(expected), { timeout: 60_000 });
    }
    await stop();
    expect(asked).toEqual([held, letGo, held, letGo]);
  });

  it('asks again in time', async () => {
    const { asked, agentUri } = await startAgent();
    const times = { lookEveryMs: 5, quietMs: 50, renewMs: 20 };
    const stop = protectTask({ agentUri, isBusy: () => true, warn: () => {}, times });
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(2), { timeout: 60_000 });
    await stop();
  });

  // Source: the Amazon ECS developer guide, "Task scale-in protection endpoint"; a failure comes with status 200.
  it.each([
    ['THROTTLED', 429, { error: { Code: 'THROTTLED' } }],
    ['DEPLOYMENT_BLOCKED', 200, { failure: { Arn: 'arn', Reason: 'DEPLOYMENT_BLOCKED' } }],
    ['no answer of the agent’s', 200, ['no answer of the agent’s']],
  ])(
    'that is not granted protection (%s) says so, and asks again after a pause',
    async (why, status, body) => {
      const { asked, agentUri } = await startAgent({ status, body });
      const warnings: unknown[] = [];
      const warn = (failure: unknown) => void warnings.push(failure);
      const times = { lookEveryMs: 1, quietMs: 50, renewMs: 60_000, againMs: 100 };
      const from = performance.now();
      const stop = protectTask({ agentUri, isBusy: () => true, warn, times });
      await vi.waitFor(() => expect(asked.length).toBeGreaterThan(2), { timeout: 60_000 });
      await stop();
      expect(asked.length).toBeLessThanOrEqual(1 + (performance.now() - from) / 100);
      expect(String(warnings[0])).toContain(why);
      expect(asked).not.toContainEqual(letGo);
    },
  );
});

// Many requests at once at the local gateway: an instance for each, a throttle as Lambda's, and what has to wait.

import { existsSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { localAccount } from '../../local/account.ts';
import { startGateway } from '../../local/gateway/gateway.ts';
import { startFunctions } from '../../local/lambda/functions.ts';
import { readTemplate } from '../../local/template/template.ts';
import { type AssemblyFunction, writeAssembly } from '../support/cloud-assembly.ts';

/** Says how many are waiting in files of its folder, and answers when another file is there. */
const held = `
  import { existsSync, writeFileSync } from 'node:fs';
  import { join } from 'node:path';
  import { setTimeout as delay } from 'node:timers/promises';
  import { threadId } from 'node:worker_threads';
  export const handler = async ({ headers }) => {
    writeFileSync(join(import.meta.dirname, 'began-' + headers['x-number']), '');
    while (!existsSync(join(import.meta.dirname, 'release'))) await delay(20);
    return { statusCode: 200, body: String(threadId) };
  };`;

const short = `
  import { setTimeout as delay } from 'node:timers/promises';
  let calls = 0;
  export const handler = async () => {
    await delay(100);
    return { statusCode: 200, body: String(++calls) };
  };`;

const started: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const server of started.splice(0).reverse()) {
    await server.close();
  }
});

type Limits = {
  requests?: number;
  invocations?: number;
  instances?: number;
  timeoutMs?: number;
  logFile?: string;
};

async function start(
  functions: Record<string, AssemblyFunction>,
  { requests = 32, invocations = 8, instances = 16, timeoutMs = 120_000, logFile }: Limits = {},
  others: Record<string, object> = {},
) {
  const routes = Object.fromEntries(Object.keys(functions).map((name) => [`POST /${name}`, name]));
  const cdkOut = writeAssembly(functions, routes, others);
  const template = readTemplate(cdkOut, localAccount);
  const lambda = startFunctions({
    functions: template.functions,
    account: localAccount,
    environment: {},
    logFile: logFile ?? join(cdkOut, 'functions.log'),
    limits: { invocations, instances },
  });
  const gateway = await startGateway({
    template,
    account: localAccount,
    invoke: lambda.invoke,
    port: 0,
    timeoutMs,
    requestsAtOnce: requests,
  });
  started.push(lambda, gateway);
  const call = async (name: string, number = 0) => {
    const response = await fetch(`${gateway.url}/${name}`, {
      method: 'POST',
      body: 'x',
      headers: { 'x-number': String(number) },
    });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  const file = (name: string) => join(cdkOut, 'asset.held', name);
  return {
    gateway,
    call,
    hasBegun: (number: number) => existsSync(file(`began-${number}`)),
    release: () => writeFileSync(file('release'), ''),
  };
}

const until = (condition: () => boolean) => expect.poll(condition, { timeout: 120_000 }).toBe(true);

describe('the local Lambda', () => {
  it('runs events that come at once in an instance each', async () => {
    const { call, hasBegun, release } = await start({ held: { source: held, timeoutSeconds: 120 } });
    const calls = [1, 2, 3].map((number) => call('held', number));
    await until(() => [1, 2, 3].every(hasBegun));
    release();
    const threads = (await Promise.all(calls)).map(({ text }) => text);
    expect(new Set(threads).size).toBe(3);
  });

  it('throttles what goes beyond a function’s reserved concurrency, and takes the next when one has ended', async () => {
    const source = { source: held, timeoutSeconds: 120, reservedConcurrency: 2 };
    const { call, hasBegun, release } = await start({ held: source, other: { source: short } });
    const calls = [1, 2].map((number) => call('held', number));
    await until(() => [1, 2].every(hasBegun));
    const throttled = await call('held', 3);
    expect(throttled.status).toBe(500);
    expect(JSON.parse(throttled.text)).toEqual({ message: 'Internal server error' });
    expect(hasBegun(3)).toBe(false);
    expect((await call('other')).status).toBe(200);
    release();
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await call('held', 4)).status).toBe(200);
  });

  it('that throttles is answered as the template wants an INTEGRATION_FAILURE', async () => {
    const busy = {
      Type: 'AWS::ApiGateway::GatewayResponse',
      Properties: {
        ResponseType: 'INTEGRATION_FAILURE',
        StatusCode: '503',
        ResponseParameters: { 'gatewayresponse.header.Retry-After': "'5'" },
        ResponseTemplates: { 'application/json': '{"code":"Busy"}' },
      },
    };
    const source = { source: short, reservedConcurrency: 0 };
    const { call } = await start({ short: source }, {}, { Busy: busy });
    const { status, text, headers } = await call('short');
    expect([status, text, headers.get('retry-after')]).toEqual([503, '{"code":"Busy"}', '5']);
  });

  it.runIf(existsSync('/dev/full'))(
    'answers where its log cannot be written, as on a full disk',
    async () => {
      const source = `export const handler = async () => {
      console.log('a line');
      return { statusCode: 200, body: 'answered' };
    };`;
      const { call } = await start({ a: { source }, b: { source } }, { instances: 1, logFile: '/dev/full' });
      expect([(await call('a')).text, (await call('b')).text]).toEqual(['answered', 'answered']);
    },
  );

  it('counts the wait for an instance neither as the function’s time nor as the gateway’s', async () => {
    const limits = { invocations: 2, requests: 100, timeoutMs: 3_000 };
    const { call } = await start({ short: { source: short, timeoutSeconds: 3 } }, limits);
    const startedAt = performance.now();
    const answers = await Promise.all(Array.from({ length: 80 }, () => call('short')));
    expect(performance.now() - startedAt).toBeGreaterThan(3_000);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });

  it('keeps idle instances as long as there is room: the one that was idle longest gives way', async () => {
    const source = { source: short };
    const { call } = await start({ a: source, b: source, c: source }, { instances: 2 });
    const callsOf = async (...names: string[]) => {
      const calls: string[] = [];
      for (const name of names) {
        calls.push((await call(name)).text);
      }
      return calls;
    };
    expect(await callsOf('a', 'b', 'a', 'b', 'c', 'b', 'a')).toEqual(['1', '1', '2', '2', '1', '3', '1']);
  });
});

describe('the local gateway', () => {
  it('takes as many requests at once as it may, and a client that leaves while it waits holds no place', async () => {
    const limits = { requests: 1 };
    const { gateway, call, hasBegun, release } = await start(
      { held: { source: held, timeoutSeconds: 120 } },
      limits,
    );
    const first = call('held', 1);
    await until(() => hasBegun(1));
    const leaving = request(`${gateway.url}/held`, { method: 'POST', headers: { 'x-number': '2' } });
    leaving.on('error', () => {});
    leaving.write('x', () => leaving.destroy());
    const third = call('held', 3);
    release();
    expect((await first).status).toBe(200);
    expect((await third).status).toBe(200);
    expect(hasBegun(2)).toBe(false);
  });
});

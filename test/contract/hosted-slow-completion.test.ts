// A completion that takes ECR longer than clients wait: 503, and the client that tries again ends in 201.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  type RegistryServer,
  type RegistryServerOptions,
  startRegistryServer,
} from '../../registry/front/server.ts';
import { hostedInstance } from '../support/hosted-registry.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { tokens } from '../support/resource-api.ts';

const MiB = 1_048_576;
const repository = '/v2/team-a/app';

/** Instead of 18 s; and how long ECR takes. */
const answerMs = 1_500;
const ecrTakesMs = 3_000;

let stack: InProcess;
beforeAll(async () => {
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
  stack = await startInProcess();
});
afterAll(() => stack?.close());
afterEach(() => stack.disarm());

async function start(bounds: RegistryServerOptions['bounds'] = {}) {
  const { open, unanswered } = hostedInstance(stack, { answerMs });
  // Another instance, which has time: only completions are to be late.
  const { open: openPatiently } = hostedInstance(stack);
  const address = { host: '127.0.0.1', port: 0 };
  const hurried = await startRegistryServer({ address, open, registry: 'ecr', bounds });
  const patient = await startRegistryServer({ address, open: openPatiently, registry: 'ecr' });
  onTestFinished(async () => {
    await unanswered.ended();
    await hurried.close();
    await patient.close();
  });
  const sendTo =
    ({ url }: RegistryServer) =>
    async (method: string, path: string, body?: Uint8Array) => {
      const headers = { authorization: `Bearer ${tokens.a}` };
      const response = await fetch(url + path, { method, headers, ...(body && { body: Buffer.from(body) }) });
      const text = await response.text();
      const code: unknown = text === '' ? undefined : JSON.parse(text).errors?.[0]?.code;
      return { status: response.status, headers: response.headers, code };
    };
  const send = sendTo(patient);
  const begin = async () =>
    (await send('POST', `${repository}/blobs/uploads/`)).headers.get('location') ?? '';
  return { send, begin, sendHurried: sendTo(hurried), uploadsUnderWay: hurried.uploadsUnderWay };
}
type Client = Awaited<ReturnType<typeof start>>;

const slow = (times: number) =>
  stack.arm({ operation: 'CompleteLayerUpload', fault: 'delay', delayMs: ecrTakesMs, times });

/** As a container tool does: the same request again, as long as it is told so. @returns the statuses */
async function insist(again: () => ReturnType<Client['send']>): Promise<number[]> {
  const statuses: number[] = [];
  while (statuses.length < 20 && (statuses.at(-1) ?? 503) === 503) {
    const { status, headers, code } = await again();
    statuses.push(status);
    if (status === 503) {
      expect([code, headers.has('retry-after')]).toEqual(['UNAVAILABLE', true]);
      await sleep(200);
    }
  }
  return statuses;
}

const ways = {
  'an empty PUT': async ({ send, sendHurried, begin }: Client, layer: Uint8Array) => {
    const patched = await send('PATCH', await begin(), layer);
    const place = `${patched.headers.get('location')}?digest=${digestOf(layer)}`;
    return () => sendHurried('PUT', place);
  },
  'a PUT of all bytes': async ({ sendHurried, begin }: Client, layer: Uint8Array) => {
    const place = `${await begin()}?digest=${digestOf(layer)}`;
    return () => sendHurried('PUT', place, layer);
  },
  'a PUT of the last bytes': async ({ send, sendHurried, begin }: Client, layer: Uint8Array) => {
    const patched = await send('PATCH', await begin(), layer.subarray(0, 5 * MiB));
    const place = `${patched.headers.get('location')}?digest=${digestOf(layer)}`;
    return () => sendHurried('PUT', place, layer.subarray(5 * MiB));
  },
};
type Way = keyof typeof ways;
const wayNames: Way[] = ['an empty PUT', 'a PUT of all bytes', 'a PUT of the last bytes'];

describe('a layer', () => {
  it.each<[Way, number]>([...wayNames.map((way): [Way, number] => [way, 1]), ['an empty PUT', 3]])(
    'that %s ends is there after 503, when ECR is slow %i times',
    async (way, times) => {
      const client = await start();
      const layer = randomBytes(5 * MiB + 1_000);
      const end = await ways[way](client, layer);
      await slow(times);
      const statuses = await insist(end);
      expect([statuses[0], statuses.at(-1)]).toEqual([503, 201]);
      const found = await client.send('HEAD', `${repository}/blobs/${digestOf(layer)}`);
      expect([found.status, found.headers.get('content-length')]).toEqual([200, `${layer.length}`]);
      // Again, as the answer may have been lost.
      expect(await insist(end)).toContain(201);
    },
  );
});

it('a completion that ECR refuses in the end is refused when it is asked for again', async () => {
  const client = await start();
  const layer = randomBytes(MiB);
  const patched = await client.send('PATCH', await client.begin(), layer);
  const end = () =>
    client.sendHurried('PUT', `${patched.headers.get('location')}?digest=${digestOf('another')}`);
  await slow(1);
  const statuses = await insist(end);
  expect([statuses[0], (statuses.at(-1) ?? 0) >= 400 && statuses.at(-1) !== 503]).toEqual([503, true]);
});

it('a completion goes on counting as an upload until it is over, so that those who try again fill no memory', async () => {
  const client = await start({ uploadsPerClient: 1 });
  const layer = randomBytes(MiB);
  const end = await ways['a PUT of all bytes'](client, layer);
  await slow(1);
  expect((await end()).status).toBe(503);
  expect(client.uploadsUnderWay()).toBe(1);
  const busy = await end();
  expect([busy.status, busy.code]).toEqual([503, 'UNAVAILABLE']);
  expect(client.uploadsUnderWay()).toBe(1);
  await expect.poll(() => client.uploadsUnderWay(), { timeout: 10_000 }).toBe(0);
  expect(await insist(end)).toContain(201);
});

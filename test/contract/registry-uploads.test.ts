// The bridge's uploads in number: what clients leave behind is in nobody's way.

import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { serveBridge } from '../../cli/bridge/serve.ts';
import { identitiesOf } from '../../client/bridge/identities.ts';
import type { SessionBounds } from '../../client/bridge/upload-sessions.ts';
import { closeServer, urlOf } from '../../local/address.ts';
import { digestOf } from '../support/random-bytes.ts';

/** A proxy that knows every token, begins every upload after a moment, and does nothing else. */
let begun = 0;
const proxy = createServer(async (request, response) => {
  request.resume();
  const isBeginning = request.url === '/ecr/layer-uploads';
  begun += isBeginning ? 1 : 0;
  await sleep(20);
  const [status, body] = isBeginning
    ? [201, { uploadId: `upload-${begun}`, partSize: 4_194_304 }]
    : [400, { code: 'InvalidParameterException', detail: 'nothing is taken here' }];
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
});
beforeAll(() => new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve)));
afterAll(() => closeServer(proxy));

async function open(uploads: Partial<SessionBounds>) {
  const bridge = await serveBridge({
    address: { host: '127.0.0.1', port: 0 },
    identities: identitiesOf({ endpoint: urlOf(proxy) }),
    registry: 'ecr',
    uploads,
  });
  onTestFinished(() => bridge.close());
  const ask = (method: string, client: string, path: string, body?: string) =>
    fetch(`${bridge.url}${path}`, {
      method,
      headers: { authorization: `Bearer eup_${client}_x` },
      ...(body !== undefined && { body }),
    });
  const post = (client: string, query = '', body?: string) =>
    ask('POST', client, `/v2/team-a/app/blobs/uploads/${query}`, body);
  return { ask, post };
}

/** How often each status came. */
async function statusesOf(answers: Promise<Response>[]): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const { status } of await Promise.all(answers)) {
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}
const times = <Value>(count: number, make: () => Value): Value[] => Array.from({ length: count }, make);

it('of one client no more are begun than it may have, however many it asks for at once', async () => {
  const { post } = await open({ uploads: 30, uploadsPerClient: 20 });
  const before = begun;
  expect(await statusesOf(times(400, () => post('a')))).toEqual({ 202: 20, 503: 380 });
  expect(begun - before).toBe(20);
  expect(await statusesOf(times(20, () => post('b')))).toEqual({ 202: 10, 503: 10 });
});

it('those that fail in their first request are no uploads', async () => {
  const { post } = await open({ uploads: 3, uploadsPerClient: 3 });
  const query = `?digest=${digestOf('other')}`;
  for (let count = 0; count < 5; count += 1) {
    expect(await statusesOf(times(2, () => post('a', query, 'bytes')))).toEqual({ 400: 2 });
  }
  expect(await statusesOf(times(3, () => post('a')))).toEqual({ 202: 3 });
});

it('those that are not continued make room for others after a while', async () => {
  const { post } = await open({ uploads: 4, uploadsPerClient: 2, spareMs: 5_000 });
  expect(await statusesOf([...times(2, () => post('a')), ...times(2, () => post('b'))])).toEqual({ 202: 4 });
  expect((await post('a')).status).toBe(503);
  await sleep(5_100);
  expect(await statusesOf(times(2, () => post('a')))).toEqual({ 202: 2 });
  expect((await post('c')).status).toBe(202);
});

it('those that are not continued are dropped in the end', async () => {
  const { ask, post } = await open({ maxIdleMs: 5_000 });
  const place = (await post('a')).headers.get('location') ?? '';
  const status = async () => (await ask('GET', 'a', place)).status;
  expect(await status()).toBe(204);
  await expect.poll(status).toBe(404);
});

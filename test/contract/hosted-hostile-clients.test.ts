// Clients that do the registry endpoint harm, all at once and at several instances: what they take is bounded, and freed.

import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { forgetPeak, memoryOf } from '../support/process-memory.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { type Fleet, startFleet } from '../support/registry-fleet.ts';
import { tokens } from '../support/resource-api.ts';

const MiB = 1_048_576;

/** Of each instance: less of everything than usual, so that the test sees the bounds. */
const uploads = 6;
const uploadsPerClient = 4;
const idleSeconds = 3;

/** As the task definition reckons: for an upload, and beside what all share once, for manifests on their way. */
const boundBytes = (uploads * 40 + 100 + 2 * 64) * MiB;

let directory: string;
let stack: InProcess;
let fleet: Fleet;
beforeAll(async () => {
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
  directory = await mkdtemp(join(tmpdir(), 'hostile-'));
  stack = await startInProcess();
  fleet = await startFleet(stack, {
    directory,
    size: 2,
    environment: {
      MAX_UPLOADS: String(uploads),
      MAX_UPLOADS_PER_CLIENT: String(uploadsPerClient),
      IDLE_SECONDS: String(idleSeconds),
      KEEP_ALIVE_SECONDS: '1',
    },
  });
});
afterAll(async () => {
  await fleet?.close();
  await stack?.close();
  await rm(directory, { recursive: true, force: true });
});

/** How many files and sockets a process has open; undefined where the system does not tell. */
const openOf = async (processId: number | undefined): Promise<number | undefined> =>
  (await readdir(`/proc/${processId}/fd`).catch(() => undefined))?.length;

/** A client that does not read, and goes away only when the test is over, or its server cuts it off. */
function open(url: string, ...bytes: (string | Uint8Array)[]): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {}).pause();
  for (const one of bytes) {
    socket.write(one);
  }
  return socket;
}

const head = (token: string, ...lines: string[]): string =>
  [...lines, 'Host: x', `Authorization: Bearer ${token}`, '', ''].join('\r\n');

const fresh = () => `/v2/team-a/app/blobs/uploads/0-${randomUUID()}`;
const bytes = randomBytes(16 * MiB);
const manifest = '/v2/team-a/app/manifests/never';

/** Each at every instance, with either of the tokens. */
const attacks: Readonly<Record<string, { times: number; begin: (url: string, token: string) => Socket }>> = {
  'bodies that stall': {
    times: 20,
    begin: (url, token) =>
      open(url, head(token, `PATCH ${fresh()} HTTP/1.1`, `Content-Length: ${64 * MiB}`), bytes),
  },
  'bodies of a byte': {
    times: 20,
    begin: (url, token) =>
      open(url, head(token, `PUT ${fresh()}?digest=${digestOf('x')} HTTP/1.1`, 'Content-Length: 9'), '1'),
  },
  'manifests that stall': {
    times: 30,
    begin: (url, token) =>
      open(
        url,
        head(token, `PUT ${manifest} HTTP/1.1`, `Content-Length: ${4 * MiB}`),
        bytes.subarray(0, 3 * MiB),
      ),
  },
  'manifests without a length': {
    times: 30,
    begin: (url, token) =>
      open(url, head(token, `PUT ${manifest} HTTP/1.1`, 'Transfer-Encoding: chunked'), '1\r\n{\r\n'),
  },
  'sessions that nobody goes on with': {
    times: 200,
    begin: (url, token) =>
      open(url, head(token, 'POST /v2/team-a/app/blobs/uploads/ HTTP/1.1', 'Content-Length: 0')),
  },
  'heads that never end': {
    times: 30,
    begin: (url) => open(url, `GET /v2/ HTTP/1.1\r\nX: ${'x'.repeat(30_000)}`),
  },
};

describe('hostile clients', () => {
  it('take no more memory than uploads may, hold no slot, and leave no connection', async ({ skip }) => {
    const instances = fleet.instances();
    const [first] = instances;
    if (!first || (await openOf(first.processId)) === undefined) {
      skip('this system does not tell what a process has open');
    }
    for (const { url } of instances) {
      // An instance that has loaded what decides about requests.
      expect((await push(url)).status).toBe(201);
    }
    const idle = await Promise.all(
      instances.map(async ({ processId }) => {
        await forgetPeak(processId);
        return { open: (await openOf(processId)) ?? 0, bytes: (await memoryOf(processId, 'VmRSS')) ?? 0 };
      }),
    );
    const sockets = Object.values(attacks).flatMap(({ times, begin }) =>
      instances.flatMap(({ url }) =>
        Array.from({ length: times }, (_, n) => begin(url, n % 2 === 0 ? tokens.a : tokens.b)),
      ),
    );
    // Amid it all half of them vanish, and the others stay without a word.
    await sleep(1_000);
    for (const [at, socket] of sockets.entries()) {
      if (at % 2 === 0) {
        socket.destroy();
      }
    }
    for (const [at, { url, processId }] of instances.entries()) {
      const before = idle[at] ?? { open: 0, bytes: 0 };
      await expect
        .poll(async () => ((await openOf(processId)) ?? 0) - before.open, { timeout: 120_000, interval: 500 })
        .toBeLessThan(20);
      const peak = (await memoryOf(processId, 'VmHWM')) ?? 0;
      expect((peak - before.bytes) / MiB).toBeLessThan(boundBytes / MiB);
      // Whoever comes now is served.
      expect((await push(url)).status).toBe(201);
    }
    for (const socket of sockets) {
      socket.destroy();
    }
  }, 240_000);
});

/** A layer in one request. */
async function push(url: string): Promise<Response> {
  const layer = randomBytes(1_000);
  const authorization = `Bearer ${tokens.a}`;
  const begun = await fetch(`${url}/v2/team-a/app/blobs/uploads/`, {
    method: 'POST',
    headers: { authorization },
  });
  return fetch(`${url}${begun.headers.get('location')}?digest=${digestOf(layer)}`, {
    method: 'PUT',
    headers: { authorization },
    body: Buffer.from(layer),
  });
}

// Several instances of the hosted registry, every request to another one, and some of them killed amid a body.

import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startHosted } from '../support/hosted-registry.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { manifestOf, ociManifest } from '../support/manifests.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { tokens } from '../support/resource-api.ts';

const MiB = 1_048_576;
const repositoryName = 'team-a/app';
const authorization = `Basic ${Buffer.from(`any:${tokens.a}`).toString('base64')}`;

type Server = Awaited<ReturnType<typeof startHosted>>;
let stack: InProcess;
const servers: Server[] = [];
beforeAll(async () => {
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
  stack = await startInProcess();
  for (let n = 0; n < 3; n += 1) {
    servers.push(await startHosted(stack));
  }
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await stack.close();
});

let asked = 0;
function nextServer(): Server {
  asked += 1;
  const server = servers[asked % servers.length];
  if (!server) {
    throw new Error('no server');
  }
  return server;
}

type Sent = { body?: Uint8Array; headers?: Record<string, string>; onHalf?: (server: Server) => void };

/** One request, on a connection of its own, to the next server: chunked, and slowly enough to be amid it. */
async function send(method: string, path: string, { body, headers, onHalf }: Sent = {}) {
  const server = nextServer();
  const outgoing = request(`${server.url}${path}`, {
    method,
    agent: false,
    headers: { authorization, ...headers },
  });
  const answered = once(outgoing, 'response');
  // One who is answered amid a body may find the connection closed behind it.
  outgoing.on('error', () => {});
  answered.catch(() => {});
  if (body && onHalf) {
    outgoing.write(body.subarray(0, body.length / 2));
    await sleep(300);
    onHalf(server);
  }
  outgoing.end(body && onHalf ? body.subarray(body.length / 2) : body);
  const [response] = await answered;
  const chunks: Buffer[] = [];
  for await (const chunk of response) {
    chunks.push(chunk);
  }
  return { status: Number(response.statusCode), headers: response.headers, body: Buffer.concat(chunks) };
}

const uploads = `/v2/${repositoryName}/blobs/uploads/`;

/** As container tools do: one PATCH, in the way of docker, and an empty PUT; and all of it again after a failure. */
async function pushBlob(bytes: Uint8Array, onHalf?: Sent['onHalf']): Promise<number> {
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    try {
      const begun = await send('POST', uploads);
      expect(begun.status).toBe(202);
      const patched = await send('PATCH', begun.headers.location, {
        body: bytes,
        ...(attempt === 1 && onHalf && { onHalf }),
      });
      expect(patched).toMatchObject({ status: 202, headers: { range: `0-${bytes.length - 1}` } });
      const put = await send('PUT', `${patched.headers.location}?digest=${digestOf(bytes)}`);
      expect(put.status).toBe(201);
      return attempt;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ECONNRESET')) {
        throw error;
      }
    }
  }
  throw new Error('it was not pushed');
}

describe('several instances', () => {
  it('take the requests of one upload in turn, and give back what came', async () => {
    const config = randomBytes(500);
    const layers = [randomBytes(11 * MiB), randomBytes(3)];
    expect(await Promise.all([config, ...layers].map((bytes) => pushBlob(bytes)))).toEqual([1, 1, 1]);
    const manifest = manifestOf(config, layers, { mediaType: ociManifest });
    const headers = { 'content-type': ociManifest };
    const path = `/v2/${repositoryName}/manifests/1.0`;
    const put = await send('PUT', path, { body: Buffer.from(manifest), headers });
    expect(put.status).toBe(201);
    const got = await send('GET', path);
    expect(got).toMatchObject({ status: 200, headers: { 'docker-content-digest': digestOf(manifest) } });
    expect(got.body.toString()).toBe(manifest);
    expect((await send('GET', `/v2/${repositoryName}/tags/list`)).body.toString()).toContain('"1.0"');
    const blob = await send('GET', `/v2/${repositoryName}/blobs/${digestOf(layers[0] ?? '')}`);
    expect(blob.status).toBe(307);
  });

  it('go on with a chunked upload, each at the byte that the one before has told', async () => {
    const bytes = randomBytes(17 * MiB);
    let { location } = (await send('POST', uploads)).headers;
    for (let at = 0; at < bytes.length; at += 6 * MiB) {
      const body = bytes.subarray(at, at + 6 * MiB);
      const headers = {
        'content-range': `${at}-${at + body.length - 1}`,
        'content-length': String(body.length),
      };
      const patched = await send('PATCH', location, { body, headers });
      expect(patched.status).toBe(202);
      // A chunk that is sent again, as its answer was lost, is where the upload is not any more.
      const again = await send('PATCH', patched.headers.location, { body, headers });
      expect(again.status).toBe(416);
      expect(again.headers.range).toBe(`0-${at + body.length - 1}`);
      ({ location } = again.headers);
    }
    const status = await send('GET', location);
    expect(status).toMatchObject({ status: 204, headers: { range: `0-${bytes.length - 1}` } });
    expect((await send('PUT', `${location}?digest=${digestOf(bytes)}`)).status).toBe(201);
  });

  it('lose nothing when one of them is killed in the middle of a body', async () => {
    const bytes = randomBytes(14 * MiB);
    const attempts = await pushBlob(bytes, (server) => {
      servers.splice(servers.indexOf(server), 1);
      void server.close();
    });
    expect(attempts).toBe(2);
    expect((await send('HEAD', `/v2/${repositoryName}/blobs/${digestOf(bytes)}`)).headers).toMatchObject({
      'content-length': String(bytes.length),
    });
  });

  it('let an upload in progress end after SIGTERM, and begin none', async () => {
    const server = await startHosted(stack);
    servers.unshift(server);
    const bytes = randomBytes(12 * MiB);
    const begun = await send('POST', uploads);
    let stopped = Promise.resolve();
    asked = servers.length - 1;
    const patched = await send('PATCH', begun.headers.location, {
      body: bytes,
      onHalf: () => {
        stopped = server.close(20_000);
      },
    });
    expect(patched).toMatchObject({ status: 202, headers: { connection: 'close' } });
    asked = servers.length - 1;
    expect((await send('POST', uploads)).status).toBe(503);
    await stopped;
    servers.shift();
  });

  it('answer a health check without a token', async () => {
    const answer = await send('GET', '/healthz', { headers: { authorization: '' } });
    expect(answer.status).toBe(200);
  });
});

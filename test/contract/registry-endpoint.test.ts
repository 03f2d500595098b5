// The registry endpoint as OCI clients meet it, before the proxy and the ECR stand-in.

import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { partSize } from '../../api/limits.ts';
import { linesOf } from '../../cli/bridge/request-log.ts';
import { serveBridge } from '../../cli/bridge/serve.ts';
import { type IdentityOptions, identitiesOf, type LentToken } from '../../client/bridge/identities.ts';
import type { Served } from '../../registry/front/serve.ts';
import type { RegistryServer } from '../../registry/front/server.ts';
import { type LocalStack, startLocalStack } from '../support/local-stack.ts';
import { manifestOf, ociManifest } from '../support/manifests.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { RawConnection } from '../support/raw-http.ts';
import { tokens } from '../support/resource-api.ts';

const name = 'team-a/app';
const retry = { attempts: 3, baseMs: 1, capMs: 5, budgetMs: 5_000 };
const lentToAll: LentToken = { token: tokens.a, to: 'everyone' };

let local: LocalStack;
let endpoint: RegistryServer;
const served: Served[] = [];
const opened: RegistryServer[] = [];

async function open(options: Partial<IdentityOptions>): Promise<RegistryServer> {
  const identities = identitiesOf({ endpoint: local.proxyUrl, retry, ...options });
  const address = { host: '127.0.0.1', port: 0 };
  const started = await serveBridge({
    address,
    identities,
    registry: 'ecr',
    onServed: (one) => served.push(one),
  });
  opened.push(started);
  return started;
}

beforeAll(async () => {
  local = await startLocalStack();
  endpoint = await open({ lent: lentToAll });
});
afterAll(async () => {
  for (const one of opened) {
    await one.close();
  }
  await local?.close();
});

const send = (
  method: string,
  path: string,
  body?: Uint8Array | string,
  headers: Record<string, string> = {},
) =>
  fetch(`${endpoint.url}${path}`, {
    method,
    headers,
    ...(body !== undefined && { body: typeof body === 'string' ? body : new Uint8Array(body) }),
  });

const refusal = z.object({ errors: z.tuple([z.object({ code: z.string(), message: z.string() })]) });
const errorOf = async (answer: Response) => refusal.parse(await answer.json()).errors[0];
const placeOf = (answer: Response): string => answer.headers.get('location') ?? '';
const begin = async (): Promise<string> => placeOf(await send('POST', `/v2/${name}/blobs/uploads/`));

/** Sends a part of a body that would be longer, and goes away once the registry has it. */
async function breakOff(method: string, path: string, bytes: Uint8Array): Promise<void> {
  const before = served.length;
  const sent = request(`${endpoint.url}${path}`, { method, headers: { 'content-length': bytes.length + 1 } });
  sent.on('error', () => {}).write(bytes);
  const range = async () => (await send('GET', path)).headers.get('range');
  await expect.poll(range).toBe(`0-${bytes.length - 1}`);
  sent.destroy();
  await expect.poll(() => served.slice(before).some(({ status }) => status === undefined)).toBe(true);
}

async function pushBlob(bytes: Uint8Array): Promise<string> {
  const digest = digestOf(bytes);
  expect((await send('PUT', `${await begin()}?digest=${digest}`, bytes)).status).toBe(201);
  return digest;
}

describe('a blob', () => {
  it('may come in one request, without a length', async () => {
    const bytes = randomBytes(2 * partSize + 7);
    const place = await begin();
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(new Uint8Array(bytes));
        controller.close();
      },
    });
    const patched = await fetch(`${endpoint.url}${place}`, { method: 'PATCH', body, duplex: 'half' });
    expect([patched.status, patched.headers.get('range')]).toEqual([202, `0-${bytes.length - 1}`]);
    const put = await send('PUT', `${place}?digest=${digestOf(bytes)}`);
    expect([put.status, put.headers.get('docker-content-digest')]).toEqual([201, digestOf(bytes)]);
    const there = await send('HEAD', `/v2/${name}/blobs/${digestOf(bytes)}`);
    expect([there.status, there.headers.get('content-length')]).toEqual([200, String(bytes.length)]);
  });

  it('may come with its digest in the very first request', async () => {
    const bytes = randomBytes(5_000);
    const posted = await send('POST', `/v2/${name}/blobs/uploads/?digest=${digestOf(bytes)}`, bytes);
    expect([posted.status, posted.headers.get('location')]).toEqual([
      201,
      `/v2/${name}/blobs/${digestOf(bytes)}`,
    ]);
  });

  it('may come in chunks of any length, the last with the digest, and be asked after in between', async () => {
    const bytes = randomBytes(partSize + 500);
    let place = await begin();
    for (const [first, last] of [
      [0, 999],
      [1_000, partSize + 9],
    ] as const) {
      const chunk = bytes.subarray(first, last + 1);
      const patched = await send('PATCH', place, chunk, { 'content-range': `${first}-${last}` });
      expect([patched.status, patched.headers.get('range')]).toEqual([202, `0-${last}`]);
      const told = await send('GET', place);
      expect([told.status, told.headers.get('range')]).toEqual([204, `0-${last}`]);
      expect(placeOf(told)).toBe(placeOf(patched));
      place = placeOf(patched);
    }
    const rest = bytes.subarray(partSize + 10);
    const put = await send('PUT', `${place}?digest=${digestOf(bytes)}`, rest, {
      'content-range': `${partSize + 10}-${bytes.length - 1}`,
    });
    expect(put.status).toBe(201);
  });

  it('that is not the next chunk is refused with where to go on, and goes on there', async () => {
    const bytes = randomBytes(3_000);
    const place = await begin();
    await send('PATCH', place, bytes.subarray(0, 1_000), { 'content-range': '0-999' });
    const refused = await send('PATCH', place, bytes.subarray(2_000), { 'content-range': '2000-2999' });
    expect([refused.status, refused.headers.get('range')]).toEqual([416, '0-999']);
    const patched = await send('PATCH', placeOf(refused), bytes.subarray(1_000), {
      'content-range': '1000-2999',
    });
    expect((await send('PUT', `${placeOf(patched)}?digest=${digestOf(bytes)}`)).status).toBe(201);
  });

  it('counts as far as it came when its connection broke, and goes on from there', async () => {
    const bytes = randomBytes(300_000);
    const place = await begin();
    await breakOff('PATCH', place, bytes.subarray(0, 100_000));
    const told = await send('GET', place);
    const came = Number(told.headers.get('range')?.split('-')[1]) + 1;
    const patched = await send('PATCH', placeOf(told), bytes.subarray(came));
    expect((await send('PUT', `${placeOf(patched)}?digest=${digestOf(bytes)}`)).status).toBe(201);
  });

  it.each(['PUT', 'PATCH'])(
    'is taken from its first byte on when it comes again by %s to the same Location',
    async (method) => {
      const bytes = randomBytes(300_000);
      const place = await begin();
      await breakOff(method, `${place}?digest=${digestOf(bytes)}`, bytes.subarray(0, 100_000));
      const again = await send(method, `${place}?digest=${digestOf(bytes)}`, bytes);
      expect(again.status).toBe(method === 'PUT' ? 201 : 202);
      if (method === 'PATCH') {
        expect((await send('PUT', `${placeOf(again)}?digest=${digestOf(bytes)}`)).status).toBe(201);
      }
      const there = await send('HEAD', `/v2/${name}/blobs/${digestOf(bytes)}`);
      expect(there.headers.get('content-length')).toBe(String(bytes.length));
    },
  );

  it('is accepted again at the same Location after an end whose answer was lost, and after one that failed', async () => {
    const bytes = randomBytes(1_000);
    const place = await begin();
    const end = (digest: string) => send('PUT', `${place}?digest=${digest}`, bytes);
    expect((await end(digestOf('other'))).status).toBe(400);
    expect((await end(digestOf(bytes))).status).toBe(201);
    expect((await end(digestOf(bytes))).status).toBe(201);
  });

  // Jib waits 20 s for an answer, and then sends its last request again.
  it('is finished again, by its empty PUT, after an end whose answer was lost', async () => {
    const bytes = randomBytes(partSize + 3);
    const other = digestOf(randomBytes(3));
    const place = placeOf(await send('PATCH', await begin(), bytes));
    const finish = (digest: string) => send('PUT', `${place}?digest=${digest}`);
    expect((await finish(digestOf(bytes))).status).toBe(201);
    expect((await finish(digestOf(bytes))).status).toBe(201);
    const unknown = await finish(other);
    expect(unknown.status).toBe(404);
    expect((await errorOf(unknown)).code).toBe('BLOB_UPLOAD_UNKNOWN');
  });

  it('is taken from the newer of two requests, for the client has given the older one up', async () => {
    const bytes = randomBytes(200_000);
    const place = await begin();
    const older = new RawConnection(Number(new URL(endpoint.url).port));
    await older.head(`PATCH ${place} HTTP/1.1`, `Content-Length: ${bytes.length}`);
    await older.write(bytes.subarray(0, 100_000));
    const range = async () => (await send('GET', place)).headers.get('range');
    await expect.poll(range).toBe('0-99999');
    const newer = await send('PATCH', place, bytes);
    expect([newer.status, newer.headers.get('range')]).toEqual([202, '0-199999']);
    expect((await older.answer()).status).toBe(416);
    expect((await send('PUT', `${placeOf(newer)}?digest=${digestOf(bytes)}`)).status).toBe(201);
  });

  it('goes on behind what came of a chunk whose answer was lost', async () => {
    const bytes = randomBytes(3_000);
    const first = await send('PATCH', await begin(), bytes.subarray(0, 1_000));
    await send('PATCH', placeOf(first), bytes.subarray(1_000, 2_000));
    const again = await send('PATCH', placeOf(first), bytes.subarray(1_000));
    expect([again.status, again.headers.get('range')]).toEqual([202, '0-2999']);
    expect((await send('PUT', `${placeOf(again)}?digest=${digestOf(bytes)}`)).status).toBe(201);
  });

  it('does not take a chunk before those that it has', async () => {
    const bytes = randomBytes(2_000);
    const place = await begin();
    const range = { 'content-range': '0-999' };
    const first = await send('PATCH', place, bytes.subarray(0, 1_000), range);
    for (const one of [place, placeOf(first)]) {
      const again = await send('PATCH', one, bytes.subarray(0, 1_000), range);
      expect([again.status, again.headers.get('range'), placeOf(again)]).toEqual([
        416,
        '0-999',
        placeOf(first),
      ]);
    }
  });

  it('is offered with the chunk length that makes one part', async () => {
    const begun = await send('POST', `/v2/${name}/blobs/uploads/`);
    expect(begun.headers.get('oci-chunk-min-length')).toBe(String(partSize));
    expect(begun.headers.get('docker-upload-uuid')).toMatch(/^[\w.-]+$/);
    expect(begun.headers.get('location')).toMatch(/^\/v2\//);
  });

  it('is not mounted', async () => {
    const digest = await pushBlob(randomBytes(10));
    const answer = await send('POST', `/v2/${name}/blobs/uploads/?mount=${digest}&from=team-a/big`);
    expect(answer.status).toBe(202);
  });

  it('is gone when it is cancelled', async () => {
    const place = await begin();
    expect((await send('DELETE', place)).status).toBe(204);
    const answer = await send('GET', place);
    expect([answer.status, (await errorOf(answer)).code]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN']);
  });

  it.each([
    ['with another digest', `sha256:${'0'.repeat(64)}`, 'DIGEST_INVALID'],
    ['with a digest that ECR does not take', `sha512:${'0'.repeat(128)}`, 'UNSUPPORTED'],
    ['without a byte, and with the digest of none', digestOf(''), 'UNSUPPORTED'],
  ])('%s is refused', async (_, digest, code) => {
    const answer = await send('PUT', `${await begin()}?digest=${digest}`, randomBytes(10));
    expect([answer.status, (await errorOf(answer)).code]).toEqual([400, code]);
  });
});

describe('a manifest', () => {
  const config = randomBytes(100);
  const layer = randomBytes(200);

  it('is put by its tag and by its digest, and read back', async () => {
    await pushBlob(config);
    await pushBlob(layer);
    const manifest = manifestOf(config, [layer]);
    for (const reference of ['1.0', digestOf(manifest)]) {
      const path = `/v2/${name}/manifests/${reference}`;
      const put = await send('PUT', path, manifest, { 'content-type': ociManifest });
      expect([put.status, put.headers.get('docker-content-digest')]).toEqual([201, digestOf(manifest)]);
      const given = await send('GET', path);
      expect([given.headers.get('content-type'), await given.text()]).toEqual([ociManifest, manifest]);
    }
    const pulled = await fetch(`${local.ecrUrl}/v2/${name}/manifests/1.0`);
    expect(await pulled.text()).toBe(manifest);
    const listed = await send('GET', `/v2/${name}/tags/list`);
    expect(await listed.json()).toEqual({ name, tags: ['1.0'] });
    const blob = await send('GET', `/v2/${name}/blobs/${digestOf(layer)}`);
    expect([blob.redirected, Buffer.from(await blob.arrayBuffer()).equals(layer)]).toEqual([true, true]);
  });

  it('that another client has put, or moved, is read as it is now', async () => {
    const other = await open({ lent: lentToAll });
    const put = (url: string, manifest: string) =>
      fetch(`${url}/v2/${name}/manifests/moved`, {
        method: 'PUT',
        headers: { 'content-type': ociManifest },
        body: manifest,
      });
    const digestAt = async ({ url }: RegistryServer) =>
      (await fetch(`${url}/v2/${name}/manifests/moved`, { method: 'HEAD' })).headers.get(
        'docker-content-digest',
      );
    const manifests = [manifestOf(config, [layer], { annotations: { a: 'a' } }), manifestOf(config, [layer])];
    for (const manifest of manifests) {
      expect((await put(endpoint.url, manifest)).status).toBe(201);
      expect(await digestAt(other)).toBe(digestOf(manifest));
      const moved = manifestOf(config, [layer], { annotations: { by: 'another' } });
      expect((await put(other.url, moved)).status).toBe(201);
      expect(await digestAt(endpoint)).toBe(digestOf(moved));
    }
  });

  it.each([
    { annotations: null },
    { annotations: { a: null } },
    { subject: null },
    { artifactType: null },
    { manifests: null },
  ])('is passed on with %j, which is absent to registries written in Go', async (members) => {
    const manifest = manifestOf(config, [layer], members);
    const put = await send('PUT', `/v2/${name}/manifests/${digestOf(manifest)}`, manifest, {
      'content-type': ociManifest,
    });
    expect([put.status, put.headers.get('docker-content-digest')]).toEqual([201, digestOf(manifest)]);
  });

  it('with a subject says so, and is listed with it', async () => {
    const subject = { mediaType: ociManifest, digest: digestOf(manifestOf(config, [layer])), size: 1 };
    const artifact = manifestOf(config, [layer], { subject, artifactType: 'application/vnd.example.sbom' });
    const put = await send('PUT', `/v2/${name}/manifests/${digestOf(artifact)}`, artifact, {
      'content-type': ociManifest,
    });
    expect([put.status, put.headers.get('oci-subject')]).toEqual([201, subject.digest]);
    const listed = await send('GET', `/v2/${name}/referrers/${subject.digest}`);
    expect(await listed.json()).toMatchObject({
      manifests: [{ digest: digestOf(artifact), artifactType: 'application/vnd.example.sbom' }],
    });
  });

  const refusals: [string, string, string, number, string][] = [
    ['under another digest', `sha256:${'1'.repeat(64)}`, manifestOf(config, [layer]), 400, 'DIGEST_INVALID'],
    ['that is not JSON', 'x', 'no', 400, 'MANIFEST_INVALID'],
    ['of blobs that are not there', 'x', manifestOf(randomBytes(3), [layer]), 400, 'MANIFEST_BLOB_UNKNOWN'],
    ['with a tag that the policy forbids', 'latest', manifestOf(config, [layer]), 403, 'DENIED'],
  ];
  it.each(refusals)('%s is refused', async (_, reference, manifest, status, code) => {
    const answer = await send('PUT', `/v2/${name}/manifests/${reference}`, manifest, {
      'content-type': ociManifest,
    });
    expect([answer.status, (await errorOf(answer)).code]).toEqual([status, code]);
  });

  it('that the policy forbids tells the policy’s own words', async () => {
    const answer = await send('PUT', `/v2/${name}/manifests/latest`, manifestOf(config, [layer]), {
      'content-type': ociManifest,
    });
    expect((await errorOf(answer)).message).toContain('the tag latest is not allowed');
  });
});

describe('a client', () => {
  it('that may not push to a repository learns it before it sends a byte', async () => {
    const answer = await send('POST', '/v2/team-b/app/blobs/uploads/');
    const error = await errorOf(answer);
    expect([answer.status, error.code]).toEqual([403, 'DENIED']);
    expect(error.message).toContain('No policy lets this client do InitiateLayerUpload in team-b/app');
    expect((await send('HEAD', `/v2/team-b/app/blobs/${digestOf('x')}`)).status).toBe(404);
  });

  it('that may push but not read gets 404 for HEAD, a refusal for GET, and an empty list of referrers', async () => {
    const device = await open({ lent: { token: tokens.pushOnly, to: 'everyone' } });
    const ask = (method: string, path: string) => fetch(`${device.url}/v2/${name}/${path}`, { method });
    for (const path of ['manifests/1.0', 'manifests/none', `manifests/${digestOf('x')}`]) {
      expect((await ask('HEAD', path)).status).toBe(404);
      const answer = await ask('GET', path);
      expect([answer.status, (await errorOf(answer)).code]).toEqual([403, 'DENIED']);
    }
    for (const path of ['tags/list', `blobs/${digestOf('x')}`]) {
      expect((await ask('GET', path)).status).toBe(403);
    }
    const referrers = await ask('GET', `referrers/${digestOf('x')}`);
    expect([referrers.status, await referrers.json()]).toMatchObject([200, { manifests: [] }]);
    expect(referrers.headers.get('warning')).toContain('ListImageReferrers');
    expect((await ask('POST', 'blobs/uploads/')).status).toBe(202);
  });

  it('that asks for the tags of a repository that does not exist gets that error', async () => {
    const answer = await send('GET', '/v2/team-a/none/tags/list');
    expect([answer.status, (await errorOf(answer)).code]).toEqual([404, 'NAME_UNKNOWN']);
  });

  it('learns that the proxy does not answer, and that it may try again', async () => {
    const lost = await open({ endpoint: 'http://127.0.0.1:1', lent: lentToAll });
    const answer = await fetch(`${lost.url}/v2/${name}/blobs/uploads/`, { method: 'POST' });
    expect([answer.status, (await errorOf(answer)).code]).toEqual([503, 'UNAVAILABLE']);
  });

  it.each([
    ['DELETE', `/v2/${name}/manifests/1.0`, 405, 'UNSUPPORTED'],
    ['GET', '/v2/_catalog', 405, 'UNSUPPORTED'],
    ['POST', '/v2/Team/blobs/uploads/', 400, 'NAME_INVALID'],
    ['GET', `/v2/${name}/blobs/uploads/nothing`, 404, 'BLOB_UPLOAD_UNKNOWN'],
    ['GET', `/v2/${name}/manifests/nothing`, 404, 'MANIFEST_UNKNOWN'],
  ])('that sends %s %s is answered %i %s', async (method, path, status, code) => {
    const answer = await send(method, path);
    expect([answer.status, (await errorOf(answer)).code]).toEqual([status, code]);
  });

  it('leaves no token and no query in the log', () => {
    expect(served.length).toBeGreaterThan(30);
    for (const line of served.flatMap(linesOf)) {
      expect(line).not.toMatch(/eup_|digest=|a fault/);
    }
  });
});

// The registry endpoint as OCI clients meet it, before the proxy and the ECR stand-in.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { partSize } from '../../api/limits.ts';
import { linesOf } from '../../cli/bridge/request-log.ts';
import { serveBridge } from '../../cli/bridge/serve.ts';
import { type IdentityOptions, identitiesOf, type LentToken } from '../../client/bridge/identities.ts';
import type { RegistryServer } from '../../registry/front/server.ts';
import { tokens } from '../support/door-1.ts';
import { type LocalStack, startLocalStack } from '../support/local-stack.ts';
import { manifestOf, ociManifest } from '../support/manifests.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';

const name = 'team-a/app';
const retry = { attempts: 3, baseMs: 1, capMs: 5, budgetMs: 5_000 };
const lentToAll: LentToken = { token: tokens.a, to: 'everyone' };

let local: LocalStack;
let endpoint: RegistryServer;
const lines: string[] = [];
const opened: RegistryServer[] = [];

async function open(options: Partial<IdentityOptions>): Promise<RegistryServer> {
  const identities = identitiesOf({ endpoint: local.proxyUrl, retry, ...options });
  const address = { host: '127.0.0.1', port: 0 };
  const started = await serveBridge({
    address,
    identities,
    registry: 'ecr',
    onServed: (served) => lines.push(...linesOf(served)),
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
const begin = async (): Promise<string> =>
  (await send('POST', `/v2/${name}/blobs/uploads/`)).headers.get('location') ?? '';
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
    const place = await begin();
    for (const [first, last] of [
      [0, 999],
      [1_000, partSize + 9],
    ] as const) {
      const chunk = bytes.subarray(first, last + 1);
      const patched = await send('PATCH', place, chunk, { 'content-range': `${first}-${last}` });
      expect([patched.status, patched.headers.get('range')]).toEqual([202, `0-${last}`]);
      const told = await send('GET', place);
      expect([told.status, told.headers.get('range')]).toEqual([204, `0-${last}`]);
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
    expect([refused.status, refused.headers.get('range'), refused.headers.get('location')]).toEqual([
      416,
      '0-999',
      place,
    ]);
    await send('PATCH', place, bytes.subarray(1_000), { 'content-range': '1000-2999' });
    expect((await send('PUT', `${place}?digest=${digestOf(bytes)}`)).status).toBe(201);
  });

  it('counts as far as it came when its connection broke, and goes on from there', async () => {
    const bytes = randomBytes(300_000);
    const place = await begin();
    const breaking = new AbortController();
    const body = new ReadableStream({
      pull: async (controller) => {
        controller.enqueue(new Uint8Array(bytes.subarray(0, 100_000)));
        await new Promise((resolve) => setTimeout(resolve, 200));
        breaking.abort();
      },
    });
    await fetch(`${endpoint.url}${place}`, {
      method: 'PATCH',
      body,
      duplex: 'half',
      signal: breaking.signal,
    }).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 200));
    const came = Number((await send('GET', place)).headers.get('range')?.split('-')[1]) + 1;
    expect(came).toBeGreaterThan(1);
    await send('PATCH', place, bytes.subarray(came));
    expect((await send('PUT', `${place}?digest=${digestOf(bytes)}`)).status).toBe(201);
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

  it('is given back while it is small, and told of when it is not', async () => {
    const config = randomBytes(1_000);
    const layer = randomBytes(100_000);
    const given = await send('GET', `/v2/${name}/blobs/${await pushBlob(config)}`);
    expect(Buffer.from(await given.arrayBuffer()).equals(config)).toBe(true);
    const refused = await send('GET', `/v2/${name}/blobs/${await pushBlob(layer)}`);
    expect([refused.status, (await errorOf(refused)).code]).toEqual([404, 'BLOB_UNKNOWN']);
  });

  it.each([
    ['with another digest', `sha256:${'0'.repeat(64)}`],
    ['with a digest that ECR does not take', `sha512:${'0'.repeat(128)}`],
  ])('%s is refused', async (_, digest) => {
    const answer = await send('PUT', `${await begin()}?digest=${digest}`, randomBytes(10));
    expect([answer.status, (await errorOf(answer)).code]).toEqual([400, 'DIGEST_INVALID']);
  });

  it('without a byte is refused, for ECR takes none', async () => {
    const answer = await send('PUT', `${await begin()}?digest=${digestOf('')}`);
    expect([answer.status, (await errorOf(answer)).code]).toEqual([400, 'SIZE_INVALID']);
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

  it('is told of a proxy that does not answer, and that it may try again', async () => {
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
    expect(lines.length).toBeGreaterThan(30);
    for (const line of lines) {
      expect(line).not.toMatch(/eup_|digest=/);
    }
  });
});

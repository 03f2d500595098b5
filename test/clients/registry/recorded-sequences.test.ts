// Docker's daemon and containerd, which need privileges to run: the requests they send, as their sources do.

import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bridge, type RegistryProxy, startBridge, startProxy } from '../../support/bridge.ts';
import { pull } from '../../support/pulled.ts';
import { digestOf, randomBytes } from '../../support/random-bytes.ts';

let directory: string;
let proxy: RegistryProxy;
let bridge: Bridge;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sequences-'));
  proxy = await startProxy(join(directory, 'data'), ['team-a/docker', 'team-a/containerd']);
  bridge = await startBridge(proxy.proxyUrl, { flags: ['--quiet'] });
});
afterAll(async () => {
  await bridge?.stop();
  await proxy?.close();
  await rm(directory, { recursive: true, force: true });
});

type Answer = { status: number; headers: NodeJS.Dict<string | string[]> };

/** A body without a length goes as chunks, as Go's client sends a reader. */
const send = (
  method: string,
  path: string,
  body?: Uint8Array,
  headers: Record<string, string | number> = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = request(`${bridge.url}${path}`, { method, headers }, (answer) => {
      answer.resume().on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers }));
    });
    sent.on('error', reject);
    const chunkBytes = 1_000_003;
    for (let at = 0; body && at < body.length; at += chunkBytes) {
      sent.write(body.subarray(at, at + chunkBytes));
    }
    sent.end();
  });

const placeOf = ({ headers }: Answer): string => String(headers.location);

type PushBlob = (name: string, bytes: Uint8Array) => Promise<void>;

/** moby's distribution/push_v2.go with graphdriver stores: the layer is compressed while it is sent. */
const dockerPush: PushBlob = async (name, bytes) => {
  const digest = digestOf(bytes);
  expect((await send('HEAD', `/v2/${name}/blobs/${digest}`)).status).toBe(404);
  const begun = await send(
    'POST',
    `/v2/${name}/blobs/uploads/?from=team-a%2Fother&mount=${encodeURIComponent(digest)}`,
    undefined,
    { 'content-length': 0 },
  );
  expect(begun.status).toBe(202);
  const sent = await send('PATCH', placeOf(begun), bytes, { 'transfer-encoding': 'chunked' });
  expect(sent.status).toBe(202);
  expect(sent.headers).toMatchObject({
    range: `0-${bytes.length - 1}`,
    'docker-upload-uuid': expect.any(String),
  });
  const put = await send('PUT', `${placeOf(sent)}?digest=${encodeURIComponent(digest)}`, undefined, {
    'content-length': 0,
  });
  expect(put.status).toBe(201);
  expect((await send('HEAD', `/v2/${name}/blobs/${digest}`)).status).toBe(200);
};

/** containerd's core/remotes/docker/pusher.go, which docker's containerd image store and buildkit use too. */
const containerdPush: PushBlob = async (name, bytes) => {
  const digest = digestOf(bytes);
  expect((await send('HEAD', `/v2/${name}/blobs/${digest}`)).status).toBe(404);
  const begun = await send('POST', `/v2/${name}/blobs/uploads/`, undefined, { 'content-length': 0 });
  expect(begun.status).toBe(202);
  const put = await send('PUT', `${placeOf(begun)}?digest=${encodeURIComponent(digest)}`, bytes, {
    'content-length': bytes.length,
    'content-type': 'application/octet-stream',
  });
  expect(put.status).toBe(201);
};

const sequences: [string, string, PushBlob, string][] = [
  ["docker's daemon", 'team-a/docker', dockerPush, 'application/vnd.docker'],
  ['containerd', 'team-a/containerd', containerdPush, 'application/vnd.oci'],
];

describe.each(sequences)('%s', (_, name, pushBlob, vendor) => {
  it('pushes an image of several layers, one of 64 MiB', async () => {
    const isDocker = vendor.endsWith('docker');
    const mediaTypes = isDocker
      ? {
          manifest: `${vendor}.distribution.manifest.v2+json`,
          config: `${vendor}.container.image.v1+json`,
          layer: `${vendor}.image.rootfs.diff.tar.gzip`,
        }
      : {
          manifest: `${vendor}.image.manifest.v1+json`,
          config: `${vendor}.image.config.v1+json`,
          layer: `${vendor}.image.layer.v1.tar+gzip`,
        };
    const config = Buffer.from('{"rootfs":{"type":"layers","diff_ids":[]}}');
    const layers = [randomBytes(64 * 1_048_576), randomBytes(5_000_000), randomBytes(300)];
    // Side by side, as both do.
    await Promise.all([...layers, config].map((bytes) => pushBlob(name, bytes)));
    const descriptor = (bytes: Uint8Array, mediaType: string) => ({
      mediaType,
      digest: digestOf(bytes),
      size: bytes.length,
    });
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: descriptor(config, mediaTypes.config),
      layers: layers.map((layer) => descriptor(layer, mediaTypes.layer)),
    });
    expect((await send('HEAD', `/v2/${name}/manifests/1.0`)).status).toBe(404);
    const put = await send('PUT', `/v2/${name}/manifests/1.0`, Buffer.from(manifest), {
      'content-type': mediaTypes.manifest,
    });
    expect(put).toMatchObject({ status: 201, headers: { 'docker-content-digest': digestOf(manifest) } });
    expect((await pull(proxy.ecrUrl, name, '1.0')).digest).toBe(digestOf(manifest));
  });
});

// An OCI layout of one image with layers of given sizes, whose bytes do not compress and were never pushed before.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { digestOf, randomBytes } from './random-bytes.ts';

const oci = 'application/vnd.oci.image';

async function layerOf(name: string, bytes: number) {
  const archive = pack();
  archive.entry({ name, mode: 0o644, mtime: new Date(0) }, randomBytes(bytes));
  archive.finalize();
  const tar = await buffer(archive);
  return { diffId: digestOf(tar), blob: gzipSync(tar, { level: 0 }) };
}

export type LayeredLayout = { directory: string; digest: string; diffIds: string[] };

/** In `directory`, with `reference` as the image's name in it. */
export async function buildLayeredLayout(
  directory: string,
  reference: string,
  layerBytes: readonly number[],
): Promise<LayeredLayout> {
  await mkdir(join(directory, 'blobs/sha256'), { recursive: true });
  const put = async (mediaType: string, content: Uint8Array | string) => {
    const digest = digestOf(content);
    await writeFile(join(directory, 'blobs/sha256', digest.slice('sha256:'.length)), content);
    return { mediaType, digest, size: Buffer.byteLength(content) };
  };
  const layers: Awaited<ReturnType<typeof put>>[] = [];
  const diffIds: string[] = [];
  for (const [at, bytes] of layerBytes.entries()) {
    const { diffId, blob } = await layerOf(`opt/${at}`, bytes);
    layers.push(await put(`${oci}.layer.v1.tar+gzip`, blob));
    diffIds.push(diffId);
  }
  const rootfs = { type: 'layers', diff_ids: diffIds };
  const config = await put(
    `${oci}.config.v1+json`,
    JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs }),
  );
  const mediaType = `${oci}.manifest.v1+json`;
  const manifest = await put(mediaType, JSON.stringify({ schemaVersion: 2, mediaType, config, layers }));
  const annotations = { 'org.opencontainers.image.ref.name': reference };
  await writeFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(
    join(directory, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }),
  );
  return { directory, digest: manifest.digest, diffIds };
}

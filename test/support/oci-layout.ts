// OCI layouts for the clients to push: an image with a large layer, an index of two platforms, an artifact that refers.

import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { link, mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type Pack, pack } from 'tar-stream';
import { digestOf, randomBytes } from './random-bytes.ts';

export type Descriptor = { mediaType: string; digest: string; size: number };

/** Directories, each a layout of one root: named in index.json as it is here. */
export type Layouts = {
  directories: Record<'single' | 'multi' | 'artifact', string>;
  /** The manifest's, the index's and the artifact's. */
  digests: Record<'single' | 'multi' | 'artifact', string>;
  diffIds: string[];
};

const oci = 'application/vnd.oci';
const mediaTypes = {
  manifest: `${oci}.image.manifest.v1+json`,
  index: `${oci}.image.index.v1+json`,
  config: `${oci}.image.config.v1+json`,
  layer: `${oci}.image.layer.v1.tar+gzip`,
  empty: `${oci}.empty.v1+json`,
} as const;

const chunkBytes = 1_048_576;

function* chunksOf(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= chunkBytes) {
    yield randomBytes(Math.min(left, chunkBytes));
  }
}

async function fill(archive: Pack, name: string, bytes: number): Promise<void> {
  const entry = archive.entry({ name, size: bytes, mode: 0o644, mtime: new Date(0) });
  await pipeline(Readable.from(chunksOf(bytes)), entry);
  archive.finalize();
}

/** Builds below `directory`; the first layer of the image has `bytes`, which do not compress. */
export async function buildLayouts(directory: string, bytes: number): Promise<Layouts> {
  const blobs = join(directory, 'blobs');
  await mkdir(blobs, { recursive: true });

  const put = async (content: string, mediaType: string): Promise<Descriptor> => {
    const digest = digestOf(content);
    await writeFile(join(blobs, digest.slice(7)), content);
    return { mediaType, digest, size: Buffer.byteLength(content) };
  };
  const layer = async (name: string, layerBytes: number): Promise<Descriptor & { diffId: string }> => {
    const archive = pack();
    const [tar, file] = [createHash('sha256'), createHash('sha256')];
    const [counted, stored] = [new PassThrough(), new PassThrough()];
    let size = 0;
    counted.on('data', (chunk: Buffer) => tar.update(chunk));
    stored.on('data', (chunk: Buffer) => {
      file.update(chunk);
      size += chunk.length;
    });
    const path = join(blobs, 'layer');
    const written = pipeline(archive, counted, createGzip({ level: 0 }), stored, createWriteStream(path));
    await Promise.all([fill(archive, name, layerBytes), written]);
    const digest = `sha256:${file.digest('hex')}`;
    await rename(path, join(blobs, digest.slice(7)));
    return { mediaType: mediaTypes.layer, digest, size, diffId: `sha256:${tar.digest('hex')}` };
  };
  const image = async (architecture: string, layers: (Descriptor & { diffId: string })[]) => {
    const config = {
      architecture,
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    };
    return put(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        config: await put(JSON.stringify(config), mediaTypes.config),
        layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
      }),
      mediaTypes.manifest,
    );
  };

  const [large, base, other] = [
    await layer('opt/large', bytes),
    await layer('etc/base', 9_000_000),
    await layer('etc/other', 5_000),
  ];
  const amd64 = await image('amd64', [large, base]);
  const arm64 = await image('arm64', [other, base]);
  const platforms = [amd64, arm64].map((descriptor, at) => ({
    ...descriptor,
    platform: { os: 'linux', architecture: ['amd64', 'arm64'][at] },
  }));
  const multi = await put(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: platforms }),
    mediaTypes.index,
  );
  const artifact = await put(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType: 'application/vnd.example.sbom',
      config: await put('{}', mediaTypes.empty),
      layers: [await put(`{"packages":[],"of":"${amd64.digest}"}`, 'application/vnd.example.sbom')],
      subject: amd64,
    }),
    mediaTypes.manifest,
  );

  const layout = async (name: string, root: Descriptor): Promise<string> => {
    const path = join(directory, name);
    await mkdir(join(path, 'blobs/sha256'), { recursive: true });
    for (const blob of await readdir(blobs)) {
      await link(join(blobs, blob), join(path, 'blobs/sha256', blob));
    }
    await writeFile(join(path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    const annotations = { 'org.opencontainers.image.ref.name': name };
    const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [{ ...root, annotations }] };
    await writeFile(join(path, 'index.json'), JSON.stringify(index));
    return path;
  };
  return {
    directories: {
      single: await layout('single', amd64),
      multi: await layout('multi', multi),
      artifact: await layout('artifact', artifact),
    },
    digests: { single: amd64.digest, multi: multi.digest, artifact: artifact.digest },
    diffIds: [large.diffId, base.diffId],
  };
}

// Builds an image from files on the disk, as an OCI layout: layers, a config, a manifest, an index.

import { createReadStream } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Pack, pack } from 'tar-stream';
import { sha256Of } from '../../api/digest.ts';
import { partSize } from '../../api/limits.ts';
import { seededBytes } from './seeded-bytes.ts';

/** The contents of a layer: a file that does not compress, and a readme. */
export type LayerPlan = { name: string; file: string; fileBytes: number; compression: 'gzip' | 'none' };

/** A blob in a file on the disk, as a manifest's descriptor names it. */
export type Blob = { name: string; path: string; mediaType: string; digest: string; size: number };

export type Image = { config: Blob; layers: Blob[]; manifest: string; mediaType: string; digest: string };

const MiB = 1_048_576;

/** What a tar of two files has besides the first one's bytes: two headers, the readme's block, two blocks at its end. */
const tarBytes = 5 * 512;

/** Not compressed, so that its blob has the size asked for: a multiple of tar's 512 bytes. */
const exactly = (name: string, file: string, blobBytes: number): LayerPlan => ({
  name,
  file,
  fileBytes: blobBytes - tarBytes,
  compression: 'none',
});

/** Lengths that a proxy which joins parts in pairs can get wrong: under one, whole ones, a big one. */
export const layerPlans: readonly LayerPlan[] = [
  { name: 'base', file: 'usr/lib/base.bin', fileBytes: 1_500_000, compression: 'gzip' },
  { name: 'model', file: 'opt/model/weights.bin', fileBytes: 64 * MiB + 1_234_567, compression: 'gzip' },
  exactly('exactly 2 parts', 'opt/data/two-parts.bin', 2 * partSize),
  exactly('exactly 3 parts', 'opt/data/three-parts.bin', 3 * partSize),
];

const layerTypes = {
  gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  none: 'application/vnd.oci.image.layer.v1.tar',
} as const;

const mediaTypes = {
  config: 'application/vnd.oci.image.config.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
} as const;

/**
 * Builds an OCI layout in `directory`; `rootfs/` next to it has the files. The same seed makes the same image.
 * @throws the signal's reason when aborted
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md
 */
export async function buildImage(
  directory: string,
  seed: string,
  { plans = layerPlans, signal }: { plans?: readonly LayerPlan[]; signal?: AbortSignal | undefined } = {},
): Promise<Image> {
  await mkdir(join(directory, 'blobs/sha256'), { recursive: true });
  const layers: Blob[] = [];
  const diffIds: string[] = [];
  for (const plan of plans) {
    signal?.throwIfAborted();
    const tar = await tarOf(await writeFiles(directory, plan, seed));
    diffIds.push(sha256Of(tar));
    const { name, compression } = plan;
    const blob = compression === 'gzip' ? await promisify(gzip)(tar, { level: 1 }) : tar;
    layers.push(await writeBlob(directory, name, layerTypes[compression], blob));
  }
  const config = await writeBlob(
    directory,
    'config',
    mediaTypes.config,
    Buffer.from(configOf(seed, plans, diffIds)),
  );
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptorOf(config),
    layers: layers.map(descriptorOf),
  });
  const bytes = Buffer.from(manifest);
  const { digest } = await writeBlob(directory, 'manifest', mediaTypes.manifest, bytes);
  const listed = { mediaType: mediaTypes.manifest, digest, size: bytes.length };
  await writeFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [listed] }));
  return { config, layers, manifest, mediaType: mediaTypes.manifest, digest };
}

const descriptorOf = ({ mediaType, digest, size }: Blob) => ({ mediaType, digest, size });

const configOf = (seed: string, plans: readonly LayerPlan[], diffIds: readonly string[]): string =>
  JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: { Labels: { seed } },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: plans.map(({ name }) => ({ created_by: `ecr-upload-proxy demo: ${name}` })),
  });

type SourceFile = { name: string; path: string };

async function writeFiles(directory: string, plan: LayerPlan, seed: string): Promise<SourceFile[]> {
  const { name, file, fileBytes } = plan;
  const contents = {
    [file]: seededBytes(seed, file, fileBytes),
    [`usr/share/doc/${name.replaceAll(' ', '-')}/README`]: `The layer "${name}", made of the seed ${seed}.\n`,
  };
  return Promise.all(
    Object.entries(contents).map(async ([fileName, content]) => {
      const path = join(directory, 'rootfs', fileName);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
      return { name: fileName, path };
    }),
  );
}

async function tarOf(files: readonly SourceFile[]): Promise<Buffer> {
  const archive = pack();
  const written = addFiles(archive, files).catch((error: Error) => archive.destroy(error));
  const tar = await buffer(archive);
  await written;
  return tar;
}

async function addFiles(archive: Pack, files: readonly SourceFile[]): Promise<void> {
  for (const { name, path } of files) {
    const { size } = await stat(path);
    const entry = archive.entry({ name, size, mode: 0o644, mtime: new Date(0) });
    await pipeline(createReadStream(path), entry);
  }
  archive.finalize();
}

async function writeBlob(directory: string, name: string, mediaType: string, bytes: Buffer): Promise<Blob> {
  const digest = sha256Of(bytes);
  const path = join(directory, 'blobs', digest.replace(':', '/'));
  await writeFile(path, bytes);
  return { name, path, mediaType, digest, size: bytes.length };
}

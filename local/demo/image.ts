// Builds an OCI image from files on the disk: layers as tar and gzip, a config, a manifest.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';
import { partSize } from '../../api/limits.ts';
import { gzip } from './gzip.ts';
import { seededBytes } from './seeded-bytes.ts';

/** What a layer is made of: a file that does not compress, beside a readme; `exactBytes` of its blob. */
export type LayerPlan = { name: string; file: string; fileBytes: number; exactBytes?: number };

/** A blob in a file on the disk, as a manifest's descriptor names it. */
export type Blob = { name: string; path: string; mediaType: string; digest: string; size: number };

export type Image = { config: Blob; layers: Blob[]; manifest: string; mediaType: string; digest: string };

const MiB = 1_048_576;

/** What tar's headers and deflate's block headers take is less; the gzip header fills up the rest. */
const roomForHeaders = 32_768;

const exactly = (name: string, file: string, exactBytes: number): LayerPlan => ({
  name,
  file,
  fileBytes: exactBytes - roomForHeaders,
  exactBytes,
});

/** Lengths that a proxy which joins parts in pairs can get wrong: under one, whole ones, a big one. */
export const layerPlans: readonly LayerPlan[] = [
  { name: 'base', file: 'usr/lib/base.bin', fileBytes: 1_500_000 },
  { name: 'model', file: 'opt/model/weights.bin', fileBytes: 64 * MiB + 1_234_567 },
  exactly('exactly 2 parts', 'opt/data/two-parts.bin', 2 * partSize),
  exactly('exactly 3 parts', 'opt/data/three-parts.bin', 3 * partSize),
];

const mediaTypes = {
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
} as const;

const digestOf = (bytes: string | Buffer): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/**
 * Builds below `directory`: `rootfs/` holds the files, `blobs/` the config and the layers. The same seed makes
 * the same image.
 * @throws the signal's reason when aborted
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md
 */
export async function buildImage(
  directory: string,
  seed: string,
  { plans = layerPlans, signal }: { plans?: readonly LayerPlan[]; signal?: AbortSignal | undefined } = {},
): Promise<Image> {
  await mkdir(join(directory, 'blobs'), { recursive: true });
  const layers: Blob[] = [];
  const diffIds: string[] = [];
  for (const plan of plans) {
    signal?.throwIfAborted();
    const tar = await tarOf(await writeFiles(directory, plan, seed));
    diffIds.push(digestOf(tar));
    layers.push(await writeBlob(directory, plan.name, mediaTypes.layer, await gzip(tar, plan.exactBytes)));
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
  return { config, layers, manifest, mediaType: mediaTypes.manifest, digest: digestOf(manifest) };
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
  const digest = digestOf(bytes);
  const path = join(directory, 'blobs', digest.replace(':', '-'));
  await writeFile(path, bytes);
  return { name, path, mediaType, digest, size: bytes.length };
}

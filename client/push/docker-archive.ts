// Reads what `docker save` wrote before it wrote OCI layouts, and what podman and skopeo call a docker archive.

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { sha256Of } from '../digest.ts';
import { type Files, isGzip, readDocument, readJson } from './files.ts';
import type { Blob, Images, Manifest, Root } from './image.ts';
import { SourceProblem } from './source-problem.ts';

const archive = z
  .array(
    z.object({
      Config: z.string(),
      RepoTags: z.array(z.string()).nullish(),
      Layers: z.array(z.string()),
    }),
  )
  .min(1);

const config = z.object({ rootfs: z.object({ diff_ids: z.array(z.string()) }) });

const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const;

export const isDockerArchive = async (files: Files): Promise<boolean> =>
  (await files.size('manifest.json')) !== undefined;

/**
 * Such an archive has no manifests: each image gets one here, of its config and its layers as they are. The
 * config already names the digest of a layer that is not compressed.
 * @throws SourceProblem
 */
export async function readDockerArchive(files: Files): Promise<Images> {
  const listed = archive.safeParse(await readJson(files, 'manifest.json')).data;
  if (!listed) throw new SourceProblem('manifest.json in the source lists no images');
  const blobs = new Map<string, Blob>();
  const manifests = new Map<string, Manifest>();
  const roots: Root[] = [];
  for (const { Config, RepoTags, Layers } of listed) {
    const configBytes = await readDocument(files, Config);
    const diffIds = config.safeParse(JSON.parse(configBytes.toString())).data?.rootfs.diff_ids;
    if (diffIds?.length !== Layers.length)
      throw new SourceProblem(`${Config} in the source is no config of an image of ${Layers.length} layers`);
    const configBlob = blobOf(files, Config, sha256Of(configBytes), configBytes.length, mediaTypes.config);
    const layers: Blob[] = [];
    for (const [at, name] of Layers.entries()) layers.push(await layerOf(files, name, diffIds[at] ?? ''));
    for (const blob of [configBlob, ...layers]) blobs.set(blob.digest, blob);
    const text = manifestOf(configBlob, layers);
    const digest = sha256Of(text);
    manifests.set(digest, { digest, mediaType: mediaTypes.manifest, text });
    const names = RepoTags?.length ? RepoTags : [undefined];
    roots.push(...names.map((refName) => ({ digest, refName })));
  }
  return { blobs: [...blobs.values()], manifests: [...manifests.values()], roots };
}

const manifestOf = (configBlob: Blob, layers: readonly Blob[]): string => {
  const descriptor = ({ mediaType, digest, size }: Blob) => ({ mediaType, digest, size });
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptor(configBlob),
    layers: layers.map(descriptor),
  });
};

const blobOf = (files: Files, name: string, digest: string, size: number, mediaType: string): Blob => ({
  digest,
  size,
  mediaType,
  source: (fromByte) => files.open(name, fromByte),
});

async function layerOf(files: Files, name: string, diffId: string): Promise<Blob> {
  const size = await files.size(name);
  if (size === undefined) throw new SourceProblem(`the source names ${name} and does not hold it`);
  const { head, digest } = await lookInto(files, name);
  return isGzip(head)
    ? blobOf(files, name, await digest(), size, `${mediaTypes.layer}+gzip`)
    : blobOf(files, name, diffId, size, mediaTypes.layer);
}

/** The digest of a layer that is compressed takes reading it. */
async function lookInto(files: Files, name: string) {
  const digest = async (): Promise<string> => {
    const hash = createHash('sha256');
    for await (const chunk of files.open(name, 0)) hash.update(chunk);
    return `sha256:${hash.digest('hex')}`;
  };
  for await (const chunk of files.open(name, 0)) return { head: chunk.subarray(0, 2), digest };
  return { head: new Uint8Array(), digest };
}

// Reads what `docker save` wrote before it wrote OCI layouts, and what podman and skopeo call a docker archive.

import { createHash } from 'node:crypto';
import { sha256Of } from '../digest.ts';
import { shown } from '../printable.ts';
import {
  Documents,
  digestText,
  listOf,
  maxDocumentBytes,
  object,
  parseAs,
  printableText,
  text,
} from './documents.ts';
import { type Files, fileOf, isGzip, nameWithin, type SourceFile } from './files.ts';
import type { Blob, Images, Manifest, Root } from './image.ts';
import { SourceProblem } from './source-problem.ts';

const archive = listOf(
  object({
    Config: text,
    RepoTags: listOf(printableText(4_096)).nullish(),
    Layers: listOf(text),
  }),
);

const config = object({ rootfs: object({ diff_ids: listOf(digestText) }) });

const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const;

export const isDockerArchive = async (files: Files): Promise<boolean> =>
  (await files.find('manifest.json')) !== undefined;

/**
 * Such an archive has no manifests: each image gets one here, of its config and its layers as they are. The
 * config already names the digest of a layer that is not compressed.
 * @throws SourceProblem
 */
export async function readDockerArchive(files: Files): Promise<Images> {
  const documents = new Documents(files);
  const layerOf = layersOf(files);
  const blobs = new Map<string, Blob>();
  const manifests = new Map<string, Manifest>();
  const roots: Root[] = [];
  for (const { Config, RepoTags, Layers } of await documents.readAs('manifest.json', archive)) {
    const configName = nameWithin(Config);
    const document = await documents.read(configName);
    const diffIds = parseAs(document, configName, config).rootfs.diff_ids;
    if (diffIds.length !== Layers.length)
      throw new SourceProblem(
        `${shown(configName)} in the source is no config of an image of ${Layers.length} layers`,
      );
    const configBlob = blobOf(await fileOf(files, configName), sha256Of(document.bytes), mediaTypes.config);
    const layers: Blob[] = [];
    for (const [at, diffId] of diffIds.entries()) layers.push(await layerOf(Layers[at] ?? '', diffId));
    for (const blob of [configBlob, ...layers]) blobs.set(blob.digest, blob);
    const manifest = manifestOf(configBlob, layers);
    manifests.set(manifest.digest, manifest);
    const names = RepoTags?.length ? RepoTags : [undefined];
    for (const refName of names) roots.push({ digest: manifest.digest, refName });
  }
  if (roots.length === 0) throw new SourceProblem('manifest.json in the source lists no images');
  return { blobs: [...blobs.values()], manifests: [...manifests.values()], roots };
}

function manifestOf(configBlob: Blob, layers: readonly Blob[]): Manifest {
  const descriptor = ({ mediaType, digest, size }: Blob) => ({ mediaType, digest, size });
  const text = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptor(configBlob),
    layers: layers.map(descriptor),
  });
  if (text.length > maxDocumentBytes)
    throw new SourceProblem(`an image of the source has ${layers.length} layers, too many for a manifest`);
  return { digest: sha256Of(text), mediaType: mediaTypes.manifest, text };
}

const blobOf = ({ size, open }: SourceFile, digest: string, mediaType: string): Blob => ({
  digest,
  size,
  mediaType,
  source: open,
});

/** A layer is read once, by however many names it is listed. */
function layersOf(files: Files) {
  const compressed = new Map<string, string | undefined>();
  return async (name: string, diffId: string): Promise<Blob> => {
    const file = await files.find(nameWithin(name));
    if (!file) throw new SourceProblem(`the source names ${shown(name)} and does not hold it`);
    if (!compressed.has(file.name)) compressed.set(file.name, await compressedDigestOf(file));
    const digest = compressed.get(file.name);
    return digest === undefined
      ? blobOf(file, diffId, mediaTypes.layer)
      : blobOf(file, digest, `${mediaTypes.layer}+gzip`);
  };
}

/** The digest of a layer that is compressed takes reading it; undefined for one that is not. */
async function compressedDigestOf(file: SourceFile): Promise<string | undefined> {
  const hash = createHash('sha256');
  let isHead = true;
  for await (const chunk of file.open(0)) {
    if (isHead && !isGzip(chunk)) return undefined;
    isHead = false;
    hash.update(chunk);
  }
  return isHead ? undefined : `sha256:${hash.digest('hex')}`;
}

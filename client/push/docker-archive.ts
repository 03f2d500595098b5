// Reads what `docker save` wrote before it wrote OCI layouts, and what podman and skopeo call a docker archive.

import { sha256Of } from '../../api/digest.ts';
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
import { type Files, fileOf, nameWithin } from './files.ts';
import type { Blob, Images, Manifest, Root } from './image.ts';
import { blobOf, type LayerOptions, SavedLayers } from './saved-layers.ts';
import { SourceProblem } from './source-problem.ts';

const archive = listOf(
  object({
    Config: text,
    RepoTags: listOf(printableText(4_096)).nullish(),
    Layers: listOf(text),
  }),
);

/** A config that has its digest as its name: as in a layout, or as kaniko, ko and crane write it. */
const namedByDigest = /^(?:blobs\/sha256\/|sha256:)([0-9a-f]{64})$/;

const config = object({ rootfs: object({ diff_ids: listOf(digestText) }) });

const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
} as const;

/**
 * Such an archive has no manifests: each image gets one here, of its config and its layers as they are. The config
 * names them by the digests that they have unpacked; every layer is held against these, in their order.
 * @throws SourceProblem
 */
export async function readDockerArchive(files: Files, options: LayerOptions): Promise<Images> {
  const documents = new Documents(files);
  const savedLayers = new SavedLayers(files, options);
  const blobs = new Map<string, Blob>();
  const manifests = new Map<string, Manifest>();
  const roots: Root[] = [];
  for (const { Config, RepoTags, Layers } of await documents.readAs('manifest.json', archive)) {
    const configName = nameWithin(Config);
    const document = await documents.read(configName);
    const digest = sha256Of(document.bytes);
    const [, expected = digest.slice(7)] = namedByDigest.exec(configName) ?? [];
    if (digest !== `sha256:${expected}`) {
      throw new SourceProblem(`${shown(configName)} in the source is damaged: it has another digest`);
    }
    const diffIds = parseAs(document, configName, config).rootfs.diff_ids;
    if (diffIds.length !== Layers.length) {
      throw new SourceProblem(
        `${shown(configName)} in the source is no config of an image of ${Layers.length} layers`,
      );
    }
    const configBlob = blobOf(await fileOf(files, configName), digest, mediaTypes.config);
    const layers: Blob[] = [];
    for (const [at, diffId] of diffIds.entries()) {
      layers.push(await savedLayers.find(Layers[at] ?? '', diffId));
    }
    for (const blob of [configBlob, ...layers]) {
      blobs.set(blob.digest, blob);
    }
    const manifest = manifestOf(configBlob, layers);
    manifests.set(manifest.digest, manifest);
    const names = RepoTags?.length ? RepoTags : [undefined];
    for (const refName of names) {
      roots.push({ digest: manifest.digest, refName });
    }
  }
  if (roots.length === 0) {
    throw new SourceProblem('manifest.json in the source lists no images');
  }
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
  if (text.length > maxDocumentBytes) {
    throw new SourceProblem(`an image of the source has ${layers.length} layers, too many for a manifest`);
  }
  return { digest: sha256Of(text), mediaType: mediaTypes.manifest, text };
}

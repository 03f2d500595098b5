// Detects in which form a tool has written a source, and reads it.

import { z } from 'zod';
import { Contents } from './contents.ts';
import { readDockerArchive } from './docker-archive.ts';
import { layoutOfDockerDir } from './docker-dir.ts';
import { Documents, parseAs } from './documents.ts';
import type { Files } from './files.ts';
import type { Images } from './image.ts';
import { readOciLayout } from './oci-layout.ts';
import type { LayerOptions } from './saved-layers.ts';
import { SourceProblem } from './source-problem.ts';

const manifestName = 'manifest.json';

/** buildx writes no file oci-layout into a folder, so index.json alone says that it is one. */
export async function imagesOf(files: Files, options: LayerOptions): Promise<Images> {
  const has = async (name: string): Promise<boolean> => (await files.find(name)) !== undefined;
  const [isLayout, hasManifest] = [await has('index.json'), await has(manifestName)];
  if (isLayout && hasManifest) {
    return completeHalf(files, options);
  }
  if (isLayout) {
    return readOciLayout(files);
  }
  if (hasManifest) {
    return (await isDockerDir(files))
      ? readOciLayout(await layoutOfDockerDir(files))
      : readDockerArchive(files, options);
  }
  if (await has('oci-layout')) {
    throw new SourceProblem('the source is an OCI layout without its index.json');
  }
  if (await has('repositories')) {
    throw new SourceProblem(
      'the source is a docker archive without a manifest.json, as docker wrote it before 1.10: load it with a docker of before 29, and save it again',
    );
  }
  throw new SourceProblem(
    'the source is neither an OCI layout nor a docker archive nor a folder of skopeo: it has no index.json and no manifest.json',
  );
}

/** What `dir:` writes is a manifest; a docker archive lists its images. */
async function isDockerDir(files: Files): Promise<boolean> {
  const json = parseAs(await new Documents(files).read(manifestName), manifestName, z.unknown());
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/**
 * What `docker save` and containerd write today is both. Their layout says more, and has the digests that the image
 * already has; but it may name other platforms alone than the one that is there, or nothing at all.
 */
async function completeHalf(files: Files, options: LayerOptions): Promise<Images> {
  const layout = await attempt(readOciLayout(files));
  if (!(layout instanceof SourceProblem) && hasWholeImage(layout)) {
    return layout;
  }
  const archive = await attempt(readDockerArchive(files, options));
  if (!(archive instanceof SourceProblem)) {
    return archive;
  }
  if (layout instanceof SourceProblem) {
    throw layout;
  }
  return layout;
}

const attempt = (reading: Promise<Images>): Promise<Images | SourceProblem> =>
  reading.catch((error: unknown) => {
    if (error instanceof SourceProblem) {
      return error;
    }
    throw error;
  });

/** Whether all that one of the layout's images needs is there. */
function hasWholeImage(images: Images): boolean {
  const contents = new Contents(images);
  return images.manifests.some(({ digest }) => contents.isWhole(digest));
}

// Putting an image: PutImage.

import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { EcrError, invalidParameter } from './errors.ts';
import type { putImageInput } from './inputs.ts';
import { type Descriptor, type Manifest, parseManifest } from './manifests.ts';
import { type RepositoryState, withEntry } from './repository-state.ts';
import type { Target } from './target.ts';

type PutImageInput = z.output<ReturnType<typeof putImageInput>>;

/** @throws {EcrError} every exception of PutImage's own, and InvalidParameterException for a bad manifest */
export function putImage(target: Target, input: PutImageInput): Promise<object> {
  const { repository, registryId } = target;
  const { imageManifest, imageManifestMediaType, imageTag } = input;
  return repository.exclusively(async () => {
    const { state } = repository;
    const { repositoryName } = state;
    const manifest = parseManifest(imageManifest, imageManifestMediaType);
    const bytes = Buffer.from(imageManifest);
    const imageDigest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    refuseOtherDigest(target, input.imageDigest ?? imageDigest, imageDigest);
    refuseTakenPlace(target, imageDigest, imageTag);
    refuseMissing(target, manifest);
    const known = state.images.get(imageDigest);
    const { mediaType } = known ?? manifest;
    // What is on record is never written again: a kill in the middle would cost it.
    if (!known) {
      await repository.writeManifest(imageDigest, bytes);
    }
    await repository.commit({
      ...state,
      layers: withMediaTypes(state.layers, manifest.layers),
      images: withEntry(state.images, imageDigest, { sizeBytes: bytes.length, mediaType }),
      tags: imageTag === undefined ? state.tags : withEntry(state.tags, imageTag, imageDigest),
    });
    const imageId = { imageDigest, ...(imageTag !== undefined && { imageTag }) };
    return {
      image: { registryId, repositoryName, imageId, imageManifest, imageManifestMediaType: mediaType },
    };
  });
}

/** @see https://github.com/google/go-containerregistry/issues/1568 for ECR's words */
function refuseOtherDigest({ repository, registryId }: Target, given: string, calculated: string): void {
  if (given === calculated) {
    return;
  }
  throw new EcrError(
    'ImageDigestDoesNotMatchException',
    `The image with digest '${given}' in repository '${repository.state.repositoryName}' and registry ID ` +
      `'${registryId}' does not match the image digest that Amazon ECR has calculated.`,
  );
}

/** @see https://github.com/moby/buildkit/issues/3776 for ECR's words on an immutable tag */
function refuseTakenPlace({ repository, registryId }: Target, digest: string, tag: string | undefined): void {
  const { repositoryName, imageTagMutability, images, tags } = repository.state;
  const tagged = tag === undefined ? undefined : tags.get(tag);
  if (tag === undefined ? images.has(digest) : tagged === digest) {
    throw new EcrError(
      'ImageAlreadyExistsException',
      `Image with digest '${digest}' and tag '${tag ?? null}' already exists in the repository with name ` +
        `'${repositoryName}' in registry with id '${registryId}'`,
    );
  }
  if (tagged !== undefined && imageTagMutability === 'IMMUTABLE') {
    throw new EcrError(
      'ImageTagAlreadyExistsException',
      `The image tag '${tag}' already exists in the '${repositoryName}' repository and cannot be overwritten ` +
        'because the repository is immutable.',
    );
  }
}

/**
 * All that a manifest refers to is in this repository, and as large as the manifest says. That ECR compares sizes
 * is inferred; a client whose sizes are wrong pushes what nobody can pull.
 */
function refuseMissing({ repository, registryId }: Target, manifest: Manifest): void {
  const { repositoryName, layers, images } = repository.state;
  const place = `required for pushing image into repository with name '${repositoryName}' in the registry with id '${registryId}'`;
  const missingLayers = absentDigests(manifest.layers, layers);
  if (missingLayers.length > 0) {
    throw new EcrError(
      'LayersNotFoundException',
      `Layers with digests '[${missingLayers.join(', ')}]' ${place} do not exist`,
    );
  }
  const missingImages = absentDigests(manifest.images, images);
  if (missingImages.length > 0) {
    throw new EcrError(
      'ReferencedImagesNotFoundException',
      `Images with digests '[${missingImages.join(', ')}]' ${place} do not exist`,
    );
  }
  for (const { digest, size } of [...manifest.layers, ...manifest.images]) {
    const stored = (layers.get(digest) ?? images.get(digest))?.sizeBytes;
    if (stored !== size) {
      throw invalidParameter('ImageManifest', `${digest} has ${stored} bytes, not ${size}`);
    }
  }
}

const absentDigests = (wanted: readonly Descriptor[], present: ReadonlyMap<string, unknown>): string[] =>
  [...new Set(wanted.map(({ digest }) => digest))].filter((digest) => !present.has(digest));

function withMediaTypes(
  layers: RepositoryState['layers'],
  named: readonly Descriptor[],
): RepositoryState['layers'] {
  const mediaTypes = new Map(named.map(({ digest, mediaType }) => [digest, mediaType]));
  return new Map(
    [...layers].map(([digest, layer]) => {
      const mediaType = layer.mediaType ?? mediaTypes.get(digest);
      return [digest, mediaType === undefined ? layer : { ...layer, mediaType }];
    }),
  );
}

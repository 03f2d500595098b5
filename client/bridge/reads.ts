// What a repository has, asked of ECR through the proxy, each time.

import { sha256Of } from '../../api/digest.ts';
import { maxListedImages, maxListedReferrers } from '../../api/limits.ts';
import { pages } from '../../api/pages.ts';
import {
  type ImageReference,
  type Manifest,
  PortError,
  type Referrer,
  referrerOf,
} from '../../registry/port.ts';
import type { Destination, Send } from '../layer-upload.ts';
import { isProblem } from '../problem.ts';

/** All that ECR stores: it converts a manifest that is read by a tag, and whose type is not among those asked for. */
const manifestMediaTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.artifact.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
  'application/vnd.docker.distribution.manifest.v1+json',
];

/** The failures of BatchGetImage that mean that there is no such image. Source: Amazon ECR API reference, ImageFailure. */
const absences: ReadonlySet<string | undefined> = new Set([
  'ImageNotFound',
  'InvalidImageTag',
  'InvalidImageDigest',
  'ImageTagDoesNotMatchDigest',
]);

/** As it was pushed. */
export async function readManifest(
  send: Send,
  destination: Destination,
  reference: ImageReference,
): Promise<Manifest | undefined> {
  const manifest = await getImage(send, destination, reference);
  if (!manifest || sha256Of(manifest.bytes) === manifest.digest) {
    return manifest;
  }
  // Converted after all; by its digest none is.
  const stored = await getImage(send, destination, { digest: manifest.digest });
  if (stored && sha256Of(stored.bytes) === manifest.digest) {
    return stored;
  }
  throw new PortError(
    'ServerException',
    `ECR does not give the manifest ${manifest.digest} as it was pushed`,
  );
}

async function getImage(
  send: Send,
  destination: Destination,
  reference: ImageReference,
): Promise<Manifest | undefined> {
  const imageId = 'tag' in reference ? { imageTag: reference.tag } : { imageDigest: reference.digest };
  const { images, failures } = await reading(send)('BatchGetImage', {
    ...destination,
    imageIds: [imageId],
    acceptedMediaTypes: manifestMediaTypes,
  });
  const [image] = images;
  const [failure] = failures;
  if (!image && absences.has(failure?.failureCode)) {
    return undefined;
  }
  if (image?.imageManifest === undefined || image.imageId.imageDigest === undefined) {
    const reason = failure?.failureReason ?? failure?.failureCode;
    throw new PortError('ServerException', `ECR cannot read this image${reason ? `: ${reason}` : ''}`);
  }
  return {
    digest: image.imageId.imageDigest,
    mediaType: image.imageManifestMediaType ?? 'application/octet-stream',
    bytes: Buffer.from(image.imageManifest),
  };
}

export const readTags = (send: Send, destination: Destination): Promise<string[]> =>
  pages(async (nextToken) => {
    const filter = { tagStatus: 'TAGGED' } as const;
    const members = { ...destination, filter, maxResults: maxListedImages, nextToken };
    const { imageIds, ...rest } = await reading(send)('ListImages', members);
    return { items: imageIds.flatMap(({ imageTag }) => imageTag ?? []), ...rest };
  });

export const readReferrers = (
  send: Send,
  destination: Destination,
  imageDigest: string,
  artifactType: string | undefined,
): Promise<Referrer[]> =>
  pages(async (nextToken) => {
    const filter = artifactType ? { artifactTypes: [artifactType] } : undefined;
    const members = { ...destination, subjectId: { imageDigest }, filter, nextToken };
    const { referrers, ...rest } = await reading(send)('ListImageReferrers', {
      ...members,
      maxResults: maxListedReferrers,
    });
    return { items: referrers.map(referrerOf), ...rest };
  });

export async function readDownloadUrl(
  send: Send,
  destination: Destination,
  layerDigest: string,
): Promise<string> {
  const { downloadUrl } = await reading(send)('GetDownloadUrlForLayer', { ...destination, layerDigest });
  return downloadUrl;
}

/** A proxy from before these operations were there takes pushes all the same. */
const reading =
  (send: Send): Send =>
  async (operation, members) => {
    try {
      return await send(operation, members);
    } catch (error) {
      if (!isProblem(error, 'UnknownOperationException')) {
        throw error;
      }
      throw new PortError(
        'UnsupportedCommandException',
        `this proxy has no ${operation}, for it is older than this bridge: pushing works, and reading when the proxy has the version of the bridge`,
        { cause: error },
      );
    }
  };

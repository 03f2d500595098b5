// Reading manifests back: BatchGetImage.

import type { z } from 'zod';
import type { batchGetInput } from './inputs.ts';
import { convertManifest } from './manifest-conversion.ts';
import type { Target } from './target.ts';

type BatchGetInput = z.output<ReturnType<typeof batchGetInput>>;
type ImageId = BatchGetInput['imageIds'][number];

/** The failure codes are the service model's, their reasons ECR's where they are known. */
const reasons = {
  MissingDigestAndTag: 'Invalid request parameters: both tag and digest cannot be null',
  InvalidImageDigest: 'Invalid request parameters: image digest should satisfy the regex',
  InvalidImageTag: 'Invalid request parameters: image tag should satisfy the regex',
  ImageNotFound: 'Requested image not found',
  ImageTagDoesNotMatchDigest: 'The image tag does not belong to the image with the digest',
} as const;

type FailureCode = keyof typeof reasons;

/** The digest of the image that is meant, or why none is. */
function find({ repository }: Target, { imageDigest, imageTag }: ImageId): { digest: string } | FailureCode {
  const { images, tags } = repository.state;
  if (imageDigest === undefined && imageTag === undefined) {
    return 'MissingDigestAndTag';
  }
  if (imageDigest !== undefined && !/^[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+$/.test(imageDigest)) {
    return 'InvalidImageDigest';
  }
  if (imageTag !== undefined && !/^[a-zA-Z0-9_][a-zA-Z0-9._-]*$/.test(imageTag)) {
    return 'InvalidImageTag';
  }
  const tagged = imageTag === undefined ? undefined : tags.get(imageTag);
  const digest = imageDigest ?? tagged;
  if (digest === undefined || !images.has(digest) || (imageTag !== undefined && tagged === undefined)) {
    return 'ImageNotFound';
  }
  return tagged === undefined || tagged === digest ? { digest } : 'ImageTagDoesNotMatchDigest';
}

/**
 * An image that is asked for by its digest comes as it is; by its tag, in an accepted media type where it can be
 * converted, under the digest of what is stored all the same (inferred: the caller has to compare).
 * @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-manifest-formats.html
 */
export async function batchGetImage(
  target: Target,
  { imageIds, acceptedMediaTypes }: BatchGetInput,
): Promise<object> {
  const { repository, registryId } = target;
  const { repositoryName } = repository.state;
  const failures: object[] = [];
  const images: object[] = [];
  for (const imageId of imageIds) {
    const found = find(target, imageId);
    if (typeof found === 'string') {
      failures.push({ imageId, failureCode: found, failureReason: reasons[found] });
      continue;
    }
    const text = String(await repository.readManifest(found.digest));
    const stored = { text, mediaType: repository.state.images.get(found.digest)?.mediaType ?? '' };
    const { text: imageManifest, mediaType: imageManifestMediaType } =
      imageId.imageDigest === undefined ? convertManifest(stored, acceptedMediaTypes) : stored;
    images.push({
      registryId,
      repositoryName,
      imageId: { ...imageId, imageDigest: found.digest },
      imageManifest,
      imageManifestMediaType,
    });
  }
  return { images, failures };
}

// The images of a repository: ListImages.

import type { z } from 'zod';
import type { listImagesInput } from './inputs.ts';
import { usualListedImages } from './limits.ts';
import { pageOf } from './pages.ts';
import type { Target } from './target.ts';

type ListImagesInput = z.output<ReturnType<typeof listImagesInput>>;
type ImageId = { readonly imageDigest: string; readonly imageTag?: string };

/** An image is listed once for each of its tags, and once where it has none. None is ever archived here. */
export async function listImages(
  { repository }: Target,
  { filter, nextToken, maxResults = usualListedImages }: ListImagesInput,
): Promise<object> {
  const { repositoryName, images, tags } = repository.state;
  const { tagStatus = 'ANY', imageStatus = 'ACTIVE' } = filter ?? {};
  const tagged = [...tags].map(([imageTag, imageDigest]): ImageId => ({ imageDigest, imageTag }));
  const digests = new Set(tags.values());
  const untagged = [...images.keys()]
    .filter((digest) => !digests.has(digest))
    .map((imageDigest): ImageId => ({ imageDigest }));
  const asked = [
    ...(tagStatus === 'UNTAGGED' ? [] : tagged),
    ...(tagStatus === 'TAGGED' ? [] : untagged),
  ].filter(() => imageStatus === 'ACTIVE' || imageStatus === 'ANY');
  const byKey = new Map(
    asked.map((imageId) => [`${imageId.imageDigest} ${imageId.imageTag ?? ''}`, imageId]),
  );
  const list = `images of ${repositoryName}, ${tagStatus}`;
  const page = pageOf(list, byKey, { nextToken, maxResults });
  return { imageIds: page.items, ...(page.nextToken !== undefined && { nextToken: page.nextToken }) };
}

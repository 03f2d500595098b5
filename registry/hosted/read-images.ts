// Manifests, tags and referrers, asked of ECR each time.

import { sha256Of } from '../../api/digest.ts';
import { maxListedImages, maxListedReferrers } from '../../api/limits.ts';
import { manifestMediaTypes } from '../../api/manifest.ts';
import type { Members } from '../../api/operations.ts';
import { pages } from '../../api/pages.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { type ImageReference, type Manifest, PortError, type Referrer, referrerOf } from '../port.ts';
import type { CallOptions, Calls } from './calls.ts';

export type ReadOptions = {
  readonly calls: Pick<Calls, 'send'>;
  readonly call: CallOptions;
  readonly repositoryName: string;
};

/**
 * Manifests that are read at the same time, of the process: while ECR's answer is taken apart a long one is in memory
 * several times over, as bytes, as text and as the members of JSON.
 */
export const maxManifestReads = 8;

type ImageId = Members<'BatchGetImage'>['imageIds'][number];

/** What ECR says of an image that is not there, and of names that no image can have. */
const absent: ReadonlySet<string> = new Set(['ImageNotFound', 'InvalidImageDigest', 'InvalidImageTag']);

const isUnsupported = (error: unknown): boolean =>
  error instanceof ProxyError && error.code === 'UnsupportedCommandException';

/**
 * ECR Public's own words would name an operation of its API. It has DescribeImages, which tells neither a manifest nor
 * its size, and a registry at public.ecr.aws with a login of its own, where anybody may read.
 */
const notReadable = (repositoryName: string, cause: unknown) =>
  new PortError(
    'UnsupportedCommandException',
    `Amazon ECR Public has no API that reads manifests or lists tags: pull public.ecr.aws/ALIAS/${repositoryName}, without a login, by the alias of its registry.`,
    { cause },
  );

async function readable<Value>(repositoryName: string, work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    throw isUnsupported(error) ? notReadable(repositoryName, error) : error;
  }
}

async function getImage(imageId: ImageId, { calls, call, repositoryName }: ReadOptions) {
  const { images, failures } = await calls.send(
    'BatchGetImage',
    { repositoryName, imageIds: [imageId], acceptedMediaTypes: [...manifestMediaTypes] },
    call,
  );
  const [image] = images;
  const [failure] = failures;
  if (!image && !absent.has(failure?.failureCode ?? '')) {
    const { failureReason = 'it says neither that it has it nor that it has not' } = failure ?? {};
    throw new ProxyError('ServerException', `ECR cannot give the image: ${failureReason}.`);
  }
  return image;
}

/**
 * The manifest as it was pushed. ECR converts one that is read by its tag and has none of the media types that are
 * asked for; what it then gives has another digest than the image, which is read by its digest instead.
 */
export async function readManifest(
  reference: ImageReference,
  options: ReadOptions,
): Promise<Manifest | undefined> {
  const imageId = 'tag' in reference ? { imageTag: reference.tag } : { imageDigest: reference.digest };
  const image = await readable(options.repositoryName, getImage(imageId, options));
  if (!image) {
    return undefined;
  }
  const { imageId: found, imageManifest = '', imageManifestMediaType: mediaType = '' } = image;
  const bytes = Buffer.from(imageManifest);
  const digest = sha256Of(bytes);
  const { imageDigest = digest } = found;
  if (digest === imageDigest) {
    return { digest, mediaType, bytes };
  }
  const stored = 'tag' in reference ? await readManifest({ digest: imageDigest }, options) : undefined;
  if (!stored) {
    throw new ProxyError(
      'ServerException',
      `ECR does not give the manifest ${imageDigest} as it was pushed.`,
    );
  }
  return stored;
}

/** An image that has several tags comes once with each. */
export async function readTags({ calls, call, repositoryName }: ReadOptions): Promise<readonly string[]> {
  const filter = { tagStatus: 'TAGGED' } as const;
  const ids = pages(async (nextToken) => {
    const members = { repositoryName, filter, maxResults: maxListedImages, nextToken };
    const { imageIds, ...rest } = await calls.send('ListImages', members, call);
    return { items: imageIds, ...rest };
  });
  const tags = (await readable(repositoryName, ids)).flatMap(({ imageTag }) => imageTag ?? []);
  return [...new Set(tags)];
}

/** @returns undefined where the registry keeps none */
export async function readReferrers(
  imageDigest: string,
  artifactType: string | undefined,
  { calls, call, repositoryName }: ReadOptions,
): Promise<readonly Referrer[] | undefined> {
  const filter = artifactType ? { artifactTypes: [artifactType] } : undefined;
  try {
    return await pages(async (nextToken) => {
      const subjectId = { imageDigest };
      const members = { repositoryName, subjectId, filter, maxResults: maxListedReferrers, nextToken };
      const { referrers, ...rest } = await calls.send('ListImageReferrers', members, call);
      return { items: referrers.map(referrerOf), ...rest };
    });
  } catch (error) {
    if (isUnsupported(error)) {
      return undefined;
    }
    throw error;
  }
}

// The rows of the operations that read: images, what refers to them, and layers. ECR Public's API has none of them.

import { z } from 'zod';
import {
  maxDigestsBodyBytes,
  maxListedImages,
  maxListedReferrers,
  maxLoggedDigests,
  maxSmallBodyBytes,
} from './limits.ts';
import {
  acceptedMediaTypes,
  imageFilter,
  imageIds,
  layerDigest,
  maxResults,
  nextToken,
  referrerFilter,
  repositoryMembers,
  subjectId,
} from './members.ts';
import { downloadUrl, imageIds as imageIdList, imageReferrers, images } from './outputs.ts';
import { byRegistry } from './registries.ts';

type ImageId = { imageDigest?: string | undefined; imageTag?: string | undefined };

const present = (texts: readonly (string | undefined)[]) => [
  ...new Set(texts.flatMap((text) => (text === undefined ? [] : [text]))),
];

export const readOperations = {
  BatchGetImage: {
    summary: 'Gives the manifests of images, by digest or by tag.',
    registries: ['ecr'],
    method: 'POST',
    path: '/images/batch-get',
    status: 200,
    rawBody: false,
    maxBodyBytes: maxDigestsBodyBytes,
    input: byRegistry((registry) =>
      z.object({ ...repositoryMembers(registry), imageIds, acceptedMediaTypes }),
    ),
    output: images,
    bulk: { list: 'images', member: 'imageIds' },
    next: [],
    groups: ['read'],
    context: (input: { imageIds: readonly ImageId[] }) => ({
      imageTags: present(input.imageIds.map((id) => id.imageTag)),
      imageDigests: present(input.imageIds.map((id) => id.imageDigest)),
    }),
    logged: (input: { imageIds: readonly ImageId[] }) => ({
      bytes: 0,
      imageIds: input.imageIds.slice(0, maxLoggedDigests),
    }),
    iamActions: ['BatchGetImage'],
    stagingActions: [],
    quotaActions: [],
    usage: undefined,
  },
  ListImages: {
    summary: 'Lists the digests and tags of a repository, page by page.',
    registries: ['ecr'],
    method: 'GET',
    path: '/images',
    status: 200,
    rawBody: false,
    maxBodyBytes: maxSmallBodyBytes,
    input: byRegistry((registry) =>
      z.object({
        ...repositoryMembers(registry),
        filter: imageFilter,
        nextToken,
        maxResults: maxResults(maxListedImages),
      }),
    ),
    output: imageIdList,
    next: ['ListImages'],
    groups: ['read'],
    context: () => ({}),
    logged: () => ({ bytes: 0 }),
    iamActions: ['ListImages'],
    stagingActions: [],
    quotaActions: [],
    usage: undefined,
  },
  ListImageReferrers: {
    summary: 'Lists what refers to an image, such as its signatures, page by page.',
    registries: ['ecr'],
    method: 'GET',
    path: '/image-referrers',
    status: 200,
    rawBody: false,
    maxBodyBytes: maxSmallBodyBytes,
    input: byRegistry((registry) =>
      z.object({
        ...repositoryMembers(registry),
        subjectId,
        filter: referrerFilter,
        nextToken,
        maxResults: maxResults(maxListedReferrers),
      }),
    ),
    output: imageReferrers,
    bulk: { list: 'referrers', member: 'maxResults' },
    next: ['ListImageReferrers'],
    groups: ['read'],
    context: (input: { subjectId: { imageDigest: string } }) => ({
      imageDigest: input.subjectId.imageDigest,
    }),
    logged: (input: { subjectId: { imageDigest: string } }) => ({
      bytes: 0,
      imageDigest: input.subjectId.imageDigest,
    }),
    // It has no action of its own. Source: the Amazon ECR API reference, ListImageReferrers.
    iamActions: ['BatchGetImage'],
    stagingActions: [],
    quotaActions: [],
    usage: undefined,
  },
  GetDownloadUrlForLayer: {
    summary: 'Returns an address at which everybody who has it can download the layer for some time.',
    registries: ['ecr'],
    method: 'GET',
    path: '/layers/{layerDigest}/download-url',
    status: 200,
    rawBody: false,
    maxBodyBytes: maxSmallBodyBytes,
    input: byRegistry((registry) => z.object({ ...repositoryMembers(registry), layerDigest })),
    output: downloadUrl,
    next: [],
    groups: ['read'],
    context: (input: { layerDigest: string }) => ({ layerDigest: input.layerDigest }),
    // Never the address: it is all that is needed to read the layer.
    logged: (input: { layerDigest: string }) => ({ bytes: 0, layerDigest: input.layerDigest }),
    iamActions: ['GetDownloadUrlForLayer'],
    stagingActions: [],
    quotaActions: [],
    usage: undefined,
  },
} as const;

// The rows of the operations that a push consists of.

import { z } from 'zod';
import { maxDigestsBodyBytes, maxEventBytes, maxLoggedDigests, maxSmallBodyBytes } from './limits.ts';
import { type ManifestMembers, manifestOf } from './manifest.ts';
import {
  batchedLayerDigests,
  imageDigest,
  imageManifest,
  imageManifestMediaType,
  imageTag,
  layerDigests,
  layerPartBlob,
  partFirstByte,
  partLastByte,
  repositoryMembers,
  uploadId,
} from './members.ts';
import { completedLayer, layerAvailability, layerUpload, putImage, takenPart } from './outputs.ts';
import type { PolicyContext } from './policy-context.ts';
import type { Usage } from './quotas.ts';
import { byRegistry, everyRegistry } from './registries.ts';
import { versionOf } from './version-tag.ts';

type PutImageMembers = ManifestMembers & { imageTag?: string | undefined };

const noFacts = {
  mediaType: '',
  artifactType: undefined,
  configMediaType: undefined,
  layerCount: 0,
  layerMediaTypes: [],
  totalBytes: 0,
  manifestCount: 0,
  manifestMediaTypes: [],
  platformCount: 0,
  annotations: {},
};

/**
 * The manifest's facts. One that cannot be read has none: the policy decides about it all the same, so that a
 * client that may not push learns nothing more, and forward refuses it for those that may.
 */
function imageContext(members: PutImageMembers) {
  const { imageTag: tag } = members;
  const manifest = manifestOf(members);
  const { mediaType, ...facts } = 'facts' in manifest ? manifest.facts : noFacts;
  return {
    imageTag: tag,
    imageTagVersion: versionOf(tag),
    imageDigest: manifest.digest,
    imageManifestMediaType: mediaType,
    ...facts,
  };
}

type Positions = { partFirstByte: number; partLastByte: number };

/** The same image under the same tag is one image a day, and its manifest is sent once, however often it is put. */
function imageUsage(members: PutImageMembers): readonly Usage[] {
  const { imageManifest, imageTag: tag } = members;
  const image = { item: JSON.stringify([manifestOf(members).digest, tag]), daily: true, first: 0 };
  return [
    { ...image, unit: 'images', end: 1 },
    { ...image, unit: 'bytes', end: Buffer.byteLength(imageManifest) },
  ];
}

export const pushOperations = {
  InitiateLayerUpload: {
    summary: 'Begins the upload of a layer.',
    registries: everyRegistry,
    method: 'POST',
    path: '/layer-uploads',
    status: 201,
    rawBody: false,
    maxBodyBytes: maxSmallBodyBytes,
    input: byRegistry((registry) => z.object(repositoryMembers(registry))),
    output: layerUpload,
    next: ['UploadLayerPart', 'CompleteLayerUpload'],
    groups: ['push'],
    context: () => ({}),
    logged: () => ({ bytes: 0 }),
    iamActions: ['InitiateLayerUpload'],
    stagingActions: [],
    quotaActions: [],
    usage: undefined,
  },
  UploadLayerPart: {
    summary: 'Sends the next part of a layer.',
    registries: everyRegistry,
    method: 'PUT',
    path: '/layer-uploads/{uploadId}/parts',
    status: 200,
    rawBody: true,
    maxBodyBytes: maxEventBytes,
    input: byRegistry((registry) =>
      z.object({ ...repositoryMembers(registry), uploadId, partFirstByte, partLastByte, layerPartBlob }),
    ),
    output: takenPart,
    next: ['UploadLayerPart', 'CompleteLayerUpload'],
    groups: ['push'],
    context: (input: { partFirstByte: number; partLastByte: number }) => ({
      partFirstByte: input.partFirstByte,
      partLastByte: input.partLastByte,
    }),
    logged: (input: { layerPartBlob: Uint8Array; partFirstByte: number }) => ({
      bytes: input.layerPartBlob.length,
      partFirstByte: input.partFirstByte,
    }),
    iamActions: ['UploadLayerPart'],
    stagingActions: ['s3:GetObject', 's3:PutObject'],
    quotaActions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
    usage: ({
      uploadId: item,
      partFirstByte: first,
      partLastByte,
    }: Positions & { uploadId: string }): Usage => ({
      unit: 'bytes',
      item,
      first,
      end: partLastByte + 1,
    }),
  },
  CompleteLayerUpload: {
    summary: 'Ends the upload of a layer, once all its parts are sent.',
    registries: everyRegistry,
    method: 'POST',
    path: '/layer-uploads/{uploadId}/completion',
    status: 201,
    rawBody: false,
    maxBodyBytes: maxDigestsBodyBytes,
    input: byRegistry((registry) => z.object({ ...repositoryMembers(registry), uploadId, layerDigests })),
    output: completedLayer,
    next: [],
    groups: ['push'],
    context: () => ({}),
    logged: (input: { layerDigests: readonly string[] }) => ({
      bytes: 0,
      layerDigests: input.layerDigests.slice(0, maxLoggedDigests),
    }),
    // The waiting part goes up first; a completion whose answer was lost is noted there, and found by its digest.
    iamActions: ['CompleteLayerUpload', 'UploadLayerPart', 'BatchCheckLayerAvailability'],
    stagingActions: ['s3:GetObject', 's3:PutObject'],
    quotaActions: [],
    usage: undefined,
  },
  BatchCheckLayerAvailability: {
    summary: 'Tells which layers the repository has.',
    registries: everyRegistry,
    method: 'POST',
    path: '/layer-availability',
    status: 200,
    rawBody: false,
    maxBodyBytes: maxDigestsBodyBytes,
    input: byRegistry((registry) =>
      z.object({ ...repositoryMembers(registry), layerDigests: batchedLayerDigests }),
    ),
    output: layerAvailability,
    next: [],
    groups: ['push', 'read'],
    context: () => ({}),
    logged: () => ({ bytes: 0 }),
    iamActions: ['BatchCheckLayerAvailability'],
    stagingActions: [],
    quotaActions: [],
    usage: undefined,
  },
  PutImage: {
    summary: 'Puts the manifest of an image whose layers are in the repository.',
    registries: everyRegistry,
    method: 'PUT',
    path: '/images',
    status: 201,
    rawBody: false,
    maxBodyBytes: maxEventBytes,
    input: byRegistry((registry) =>
      z.object({
        ...repositoryMembers(registry),
        imageManifest,
        imageManifestMediaType,
        imageTag,
        imageDigest,
      }),
    ),
    output: putImage,
    next: [],
    groups: ['push'],
    context: imageContext,
    logged: (input: PutImageMembers, { imageDigest: digest, imageTag: tag }: PolicyContext) => ({
      bytes: Buffer.byteLength(input.imageManifest),
      imageDigest: digest,
      imageTag: tag,
    }),
    iamActions: ['PutImage'],
    stagingActions: [],
    quotaActions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
    usage: imageUsage,
  },
} as const;

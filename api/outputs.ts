// What each operation answers on success, as schemas in ECR's own member names.

import { z } from 'zod';

const repository = { registryId: z.string().optional(), repositoryName: z.string().optional() };

/** Members that a client needs are required, all others optional; members unknown here are left out. */
export const layerUpload = z.object({ uploadId: z.string().min(1), partSize: z.int().positive() });

export const takenPart = z.object({
  ...repository,
  uploadId: z.string().optional(),
  lastByteReceived: z.int().nonnegative(),
});

export const completedLayer = z.object({
  ...repository,
  uploadId: z.string().optional(),
  layerDigest: z.string().min(1),
});

export const layerAvailability = z.object({
  layers: z
    .array(
      z.object({
        layerDigest: z.string(),
        layerAvailability: z.string(),
        layerSize: z.int().nonnegative().optional(),
        mediaType: z.string().optional(),
      }),
    )
    .default([]),
  failures: z
    .array(
      z.object({
        layerDigest: z.string().optional(),
        failureCode: z.string().optional(),
        failureReason: z.string().optional(),
      }),
    )
    .default([]),
});

const imageId = z.object({ imageDigest: z.string().optional(), imageTag: z.string().optional() });

const image = z.object({
  ...repository,
  imageId,
  imageManifest: z.string().optional(),
  imageManifestMediaType: z.string().optional(),
});

export const putImage = z.object({ image });

export const images = z.object({
  images: z.array(image).default([]),
  failures: z
    .array(
      z.object({
        imageId: imageId.optional(),
        failureCode: z.string().optional(),
        failureReason: z.string().optional(),
      }),
    )
    .default([]),
});

/** Absent on the last page. */
const nextToken = z.string().optional();

export const imageIds = z.object({ imageIds: z.array(imageId).default([]), nextToken });

export const imageReferrers = z.object({
  referrers: z
    .array(
      z.object({
        digest: z.string(),
        mediaType: z.string(),
        artifactType: z.string().optional(),
        size: z.int().nonnegative(),
        annotations: z.record(z.string(), z.string()).optional(),
        artifactStatus: z.string().optional(),
      }),
    )
    .default([]),
  nextToken,
});

export const downloadUrl = z.object({ downloadUrl: z.string().min(1), layerDigest: z.string().optional() });

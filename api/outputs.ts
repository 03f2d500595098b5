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

export const putImage = z.object({
  image: z.object({
    ...repository,
    imageId: z.object({ imageDigest: z.string().optional(), imageTag: z.string().optional() }),
    imageManifest: z.string().optional(),
    imageManifestMediaType: z.string().optional(),
  }),
});

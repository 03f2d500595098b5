// What each operation answers on success, in ECR's own member names.

import { z } from 'zod';
import type { OperationName } from '../api/operations.ts';

const repository = { registryId: z.string().optional(), repositoryName: z.string().optional() };

/** Members that a client needs are required, all others optional; members unknown here are left out. */
const table = {
  InitiateLayerUpload: z.object({ uploadId: z.string().min(1), partSize: z.int().positive() }),
  UploadLayerPart: z.object({
    ...repository,
    uploadId: z.string().optional(),
    lastByteReceived: z.int().nonnegative(),
  }),
  CompleteLayerUpload: z.object({
    ...repository,
    uploadId: z.string().optional(),
    layerDigest: z.string().min(1),
  }),
  BatchCheckLayerAvailability: z.object({
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
  }),
  PutImage: z.object({
    image: z.object({
      ...repository,
      imageId: z.object({ imageDigest: z.string().optional(), imageTag: z.string().optional() }),
      imageManifest: z.string().optional(),
      imageManifestMediaType: z.string().optional(),
    }),
  }),
} as const satisfies Record<OperationName, z.ZodType>;

export type Answer<Name extends OperationName> = z.output<(typeof table)[Name]>;

export const answers: { readonly [Name in OperationName]: z.ZodType<Answer<Name>> } = table;

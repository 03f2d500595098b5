// ECR's whole API in memory: the uploads of test/interleavings, and images, as its wire has them.

import { randomUUID } from 'node:crypto';
import { CompleteLayerUploadCommand, ECRServiceException, UploadLayerPartCommand } from '@aws-sdk/client-ecr';
import { z } from 'zod';
import type { OperationName } from '../../api/operations.ts';
import { digestOf } from '../interleavings/content.ts';
import { ecrInMemory } from '../interleavings/ecr-in-memory.ts';

export type StoredImage = {
  readonly manifest: string;
  readonly mediaType: string;
  readonly tags: readonly string[];
};

const base64 = z.string().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));
const digests = z.object({ layerDigests: z.array(z.string()) });
const inputs = {
  upload: z.object({ uploadId: z.string() }),
  part: z.object({
    uploadId: z.string(),
    partFirstByte: z.number(),
    partLastByte: z.number(),
    layerPartBlob: base64,
  }),
  digests,
  image: z.object({
    imageManifest: z.string(),
    imageManifestMediaType: z.string().optional(),
    imageTag: z.string().optional(),
  }),
  imageIds: z.object({
    imageIds: z.array(z.object({ imageDigest: z.string().optional(), imageTag: z.string().optional() })),
  }),
  subject: z.object({ subjectId: z.object({ imageDigest: z.string() }) }),
  layer: z.object({ layerDigest: z.string() }),
};
const manifestOf = z.object({
  mediaType: z.string().optional(),
  config: z.object({ digest: z.string() }),
  layers: z.array(z.object({ digest: z.string() })),
  subject: z.object({ digest: z.string() }).optional(),
});

const refusal = (name: string) =>
  new ECRServiceException({ name, message: name, $fault: 'client', $metadata: { httpStatusCode: 400 } });

const repositoryName = 'team-a/app';
const registryId = '123456789012';
const repository = { registryId, repositoryName };

export function ecrRepository() {
  const { uploads, layers, open, read } = ecrInMemory();
  const images = new Map<string, StoredImage>();

  const readManifest = (text: string) => manifestOf.parse(JSON.parse(text));

  function putImage(body: unknown) {
    const { imageManifest, imageManifestMediaType, imageTag } = inputs.image.parse(body);
    const { config, layers: listed, mediaType = '' } = readManifest(imageManifest);
    if (![config, ...listed].every(({ digest }) => layers.has(digest))) {
      throw refusal('LayersNotFoundException');
    }
    const imageDigest = digestOf(Buffer.from(imageManifest));
    const found = images.get(imageDigest);
    if (found && (imageTag === undefined || found.tags.includes(imageTag))) {
      throw refusal('ImageAlreadyExistsException');
    }
    const tags = [...(found?.tags ?? []), ...(imageTag === undefined ? [] : [imageTag])];
    images.set(imageDigest, {
      manifest: imageManifest,
      mediaType: imageManifestMediaType ?? mediaType,
      tags,
    });
    return { image: { ...repository, imageId: { imageDigest, imageTag }, imageManifest } };
  }

  function getImages(body: unknown) {
    const { imageIds } = inputs.imageIds.parse(body);
    const found = imageIds.map((id) => {
      const image = [...images].find(
        ([digest, { tags }]) => digest === id.imageDigest || tags.includes(id.imageTag ?? ''),
      );
      return { id, image };
    });
    return {
      images: found.flatMap(({ id, image }) =>
        image
          ? [
              {
                ...repository,
                imageId: { imageDigest: image[0], imageTag: id.imageTag },
                imageManifest: image[1].manifest,
                imageManifestMediaType: image[1].mediaType,
              },
            ]
          : [],
      ),
      failures: found.flatMap(({ id, image }) =>
        image ? [] : [{ imageId: id, failureCode: 'ImageNotFound', failureReason: 'no such image' }],
      ),
    };
  }

  function referrers(body: unknown) {
    const { imageDigest: subject } = inputs.subject.parse(body).subjectId;
    return {
      referrers: [...images].flatMap(([digest, { manifest, mediaType }]) =>
        readManifest(manifest).subject?.digest === subject
          ? [{ digest, mediaType, size: Buffer.byteLength(manifest), artifactStatus: 'ACTIVE' }]
          : [],
      ),
    };
  }

  function availability(body: unknown) {
    const { layerDigests } = inputs.digests.parse(body);
    return {
      layers: layerDigests.map((layerDigest) => ({
        layerDigest,
        layerAvailability: layers.has(layerDigest) ? 'AVAILABLE' : 'UNAVAILABLE',
        ...(layers.has(layerDigest) && { layerSize: layers.get(layerDigest)?.bytes.length }),
      })),
      failures: [],
    };
  }

  function downloadUrl(body: unknown) {
    const { layerDigest } = inputs.layer.parse(body);
    if (!layers.has(layerDigest)) {
      throw refusal('LayersNotFoundException');
    }
    return { layerDigest, downloadUrl: `https://layers.example.com/${layerDigest}` };
  }

  const uploading =
    <Input>(schema: z.ZodType<Input>, commandOf: (input: Input) => unknown) =>
    (body: unknown): unknown =>
      read(commandOf(schema.parse(body))).effect(1);

  const operations: Readonly<Record<OperationName, (body: unknown) => unknown>> = {
    InitiateLayerUpload: () => {
      const uploadId = randomUUID();
      open(uploadId);
      return { uploadId, partSize: 10 };
    },
    UploadLayerPart: uploading(
      inputs.part,
      (input) => new UploadLayerPartCommand({ ...repository, ...input }),
    ),
    CompleteLayerUpload: uploading(
      inputs.upload.extend(digests.shape),
      (input) => new CompleteLayerUploadCommand({ ...repository, ...input }),
    ),
    BatchCheckLayerAvailability: availability,
    PutImage: putImage,
    BatchGetImage: getImages,
    ListImages: () => ({
      imageIds: [...images].flatMap(([imageDigest, { tags }]) =>
        tags.map((imageTag) => ({ imageDigest, imageTag })),
      ),
    }),
    ListImageReferrers: referrers,
    GetDownloadUrlForLayer: downloadUrl,
  };

  return { uploads, layers, images, operations };
}

export type EcrRepository = ReturnType<typeof ecrRepository>;

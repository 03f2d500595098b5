// An ECR that answers every operation alike, with what every row of the table of operations requires of an answer.

import type { EcrServices } from '../../lambda/upload/ecr.ts';

export const answered = {
  uploadId: '11111111-2222-3333-4444-555555555555',
  layerDigest: 'sha256:0',
  layers: [],
  image: { imageId: {} },
  images: [],
  imageIds: [],
  referrers: [],
  downloadUrl: 'https://layers.example/',
};

type Answer = (input: object, abortSignal: AbortSignal) => Promise<typeof answered>;

/** @param meanwhile what happens before the answer is there */
export const oneAnswer =
  (meanwhile: () => void | Promise<void>): Answer =>
  async () => {
    await meanwhile();
    return answered;
  };

export const ecrAnswering = (answer: Answer): EcrServices['ecr'] => ({
  InitiateLayerUpload: answer,
  UploadLayerPart: answer,
  CompleteLayerUpload: answer,
  BatchCheckLayerAvailability: answer,
  PutImage: answer,
  BatchGetImage: answer,
  ListImages: answer,
  ListImageReferrers: answer,
  GetDownloadUrlForLayer: answer,
});

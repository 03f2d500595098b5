// The operations table: name → input schema and what is done with it.

import type { z } from 'zod';
import { downloadUrlForLayer } from './download-url.ts';
import { listImages } from './image-list.ts';
import { batchGetImage } from './image-reads.ts';
import { putImage } from './images.ts';
import {
  availabilityInput,
  batchGetInput,
  completeInput,
  downloadUrlInput,
  initiateInput,
  listImagesInput,
  listReferrersInput,
  putImageInput,
  readInput,
  uploadPartInput,
} from './inputs.ts';
import { batchCheckLayerAvailability } from './layer-availability.ts';
import { completeLayerUpload, initiateLayerUpload, uploadLayerPart } from './layer-uploads.ts';
import { listImageReferrers } from './referrers.ts';
import type { OperationName, RegistryName } from './registries.ts';
import type { Store } from './store.ts';
import type { Target } from './target.ts';

type Operation = (store: Store, registry: RegistryName, members: Record<string, unknown>) => Promise<object>;

type RepositoryInput = { repositoryName: string; registryId?: string | undefined };

function operation<Schema extends z.ZodType<RepositoryInput>>(
  schema: (registry: RegistryName) => Schema,
  run: (target: Target, input: z.output<Schema>) => Promise<object>,
): Operation {
  const schemas = { ecr: schema('ecr'), 'ecr-public': schema('ecr-public') };
  return async (store, registry, members) => {
    const input = readInput(schemas[registry], members);
    const repository = store.find(registry, input.repositoryName, input.registryId);
    return run({ repository, registryId: store.accountId, downloads: store.downloads }, input);
  };
}

export const operations = {
  InitiateLayerUpload: operation(initiateInput, initiateLayerUpload),
  UploadLayerPart: operation(uploadPartInput, uploadLayerPart),
  CompleteLayerUpload: operation(completeInput, completeLayerUpload),
  BatchCheckLayerAvailability: operation(availabilityInput, batchCheckLayerAvailability),
  PutImage: operation(putImageInput, putImage),
  BatchGetImage: operation(batchGetInput, batchGetImage),
  ListImages: operation(listImagesInput, listImages),
  ListImageReferrers: operation(listReferrersInput, listImageReferrers),
  GetDownloadUrlForLayer: operation(downloadUrlInput, downloadUrlForLayer),
} as const satisfies Record<OperationName, Operation>;

// Both ECR services with one interface: each operation is a call of the service's own SDK client.

import {
  BatchCheckLayerAvailabilityCommand,
  BatchGetImageCommand,
  CompleteLayerUploadCommand,
  type ECRClient,
  GetDownloadUrlForLayerCommand,
  InitiateLayerUploadCommand,
  ListImageReferrersCommand,
  ListImagesCommand,
  PutImageCommand,
  UploadLayerPartCommand,
} from '@aws-sdk/client-ecr';
import * as ecrPublic from '@aws-sdk/client-ecr-public';
import type { OperationOf } from '../../api/operations.ts';
import type { Registry } from '../../api/registries.ts';
import type { Measure } from '../telemetry/meter.ts';
import { answering, type EcrCall } from './ecr-answers.ts';
import { LayerPartBodies } from './layer-part-body.ts';

/** One ECR service. */
type EcrService<Of extends Registry> = { readonly [Name in OperationOf<Of>]: EcrCall<Name> };

export type EcrServices = { readonly [Of in Registry]: EcrService<Of> };

/** Either of them, with the operations that both have. */
export type Ecr = EcrServices[Registry];

/** Of all clients of this process. */
const bodies = new LayerPartBodies();

export const privateEcr = (client: ECRClient, measure: Measure): EcrServices['ecr'] => ({
  InitiateLayerUpload: answering('InitiateLayerUpload', (input, abortSignal) =>
    measure('ecr:InitiateLayerUpload', () =>
      client.send(new InitiateLayerUploadCommand(input), { abortSignal }),
    ),
  ),
  UploadLayerPart: answering('UploadLayerPart', (input, abortSignal) =>
    measure('ecr:UploadLayerPart', () =>
      bodies.send(new UploadLayerPartCommand(input), (command) => client.send(command, { abortSignal })),
    ),
  ),
  CompleteLayerUpload: answering('CompleteLayerUpload', (input, abortSignal) =>
    measure('ecr:CompleteLayerUpload', () =>
      client.send(new CompleteLayerUploadCommand(input), { abortSignal }),
    ),
  ),
  BatchCheckLayerAvailability: answering('BatchCheckLayerAvailability', (input, abortSignal) =>
    measure('ecr:BatchCheckLayerAvailability', () =>
      client.send(new BatchCheckLayerAvailabilityCommand(input), { abortSignal }),
    ),
  ),
  PutImage: answering('PutImage', (input, abortSignal) =>
    measure('ecr:PutImage', () => client.send(new PutImageCommand(input), { abortSignal })),
  ),
  BatchGetImage: answering('BatchGetImage', (input, abortSignal) =>
    measure('ecr:BatchGetImage', () => client.send(new BatchGetImageCommand(input), { abortSignal })),
  ),
  ListImages: answering('ListImages', (input, abortSignal) =>
    measure('ecr:ListImages', () => client.send(new ListImagesCommand(input), { abortSignal })),
  ),
  ListImageReferrers: answering('ListImageReferrers', (input, abortSignal) =>
    measure('ecr:ListImageReferrers', () =>
      client.send(new ListImageReferrersCommand(input), { abortSignal }),
    ),
  ),
  GetDownloadUrlForLayer: answering('GetDownloadUrlForLayer', (input, abortSignal) =>
    measure('ecr:GetDownloadUrlForLayer', () =>
      client.send(new GetDownloadUrlForLayerCommand(input), { abortSignal }),
    ),
  ),
});

export const publicEcr = (
  client: ecrPublic.ECRPUBLICClient,
  measure: Measure,
): EcrServices['ecr-public'] => ({
  InitiateLayerUpload: answering('InitiateLayerUpload', (input, abortSignal) =>
    measure('ecr-public:InitiateLayerUpload', () =>
      client.send(new ecrPublic.InitiateLayerUploadCommand(input), { abortSignal }),
    ),
  ),
  UploadLayerPart: answering('UploadLayerPart', (input, abortSignal) =>
    measure('ecr-public:UploadLayerPart', () =>
      bodies.send(new ecrPublic.UploadLayerPartCommand(input), (command) =>
        client.send(command, { abortSignal }),
      ),
    ),
  ),
  CompleteLayerUpload: answering('CompleteLayerUpload', (input, abortSignal) =>
    measure('ecr-public:CompleteLayerUpload', () =>
      client.send(new ecrPublic.CompleteLayerUploadCommand(input), { abortSignal }),
    ),
  ),
  BatchCheckLayerAvailability: answering('BatchCheckLayerAvailability', (input, abortSignal) =>
    measure('ecr-public:BatchCheckLayerAvailability', () =>
      client.send(new ecrPublic.BatchCheckLayerAvailabilityCommand(input), { abortSignal }),
    ),
  ),
  PutImage: answering('PutImage', (input, abortSignal) =>
    measure('ecr-public:PutImage', () => client.send(new ecrPublic.PutImageCommand(input), { abortSignal })),
  ),
});

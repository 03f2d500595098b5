// Both ECR services as one shape: each operation of the table as a call of the service's own SDK client.

import {
  BatchCheckLayerAvailabilityCommand,
  type BatchCheckLayerAvailabilityResponse,
  CompleteLayerUploadCommand,
  type CompleteLayerUploadResponse,
  type ECRClient,
  InitiateLayerUploadCommand,
  type InitiateLayerUploadResponse,
  PutImageCommand,
  type PutImageResponse,
  UploadLayerPartCommand,
  type UploadLayerPartResponse,
} from '@aws-sdk/client-ecr';
import * as ecrPublic from '@aws-sdk/client-ecr-public';
import type { Members, OperationName } from '../../api/operations.ts';
import type { Measure } from '../telemetry/meter.ts';

type EcrOutputs = {
  InitiateLayerUpload: InitiateLayerUploadResponse;
  UploadLayerPart: UploadLayerPartResponse;
  CompleteLayerUpload: CompleteLayerUploadResponse;
  BatchCheckLayerAvailability: BatchCheckLayerAvailabilityResponse;
  PutImage: PutImageResponse;
};

/** One ECR service; a call rejects with the SDK's own exceptions, and with AbortError when the signal fires. */
export type Ecr = {
  readonly [Name in OperationName]: (
    input: Members<Name>,
    abortSignal: AbortSignal,
  ) => Promise<EcrOutputs[Name]>;
};

export const privateEcr = (client: ECRClient, measure: Measure): Ecr => ({
  InitiateLayerUpload: (input, abortSignal) =>
    measure('ecr:InitiateLayerUpload', () =>
      client.send(new InitiateLayerUploadCommand(input), { abortSignal }),
    ),
  UploadLayerPart: (input, abortSignal) =>
    measure('ecr:UploadLayerPart', () => client.send(new UploadLayerPartCommand(input), { abortSignal })),
  CompleteLayerUpload: (input, abortSignal) =>
    measure('ecr:CompleteLayerUpload', () =>
      client.send(new CompleteLayerUploadCommand(input), { abortSignal }),
    ),
  BatchCheckLayerAvailability: (input, abortSignal) =>
    measure('ecr:BatchCheckLayerAvailability', () =>
      client.send(new BatchCheckLayerAvailabilityCommand(input), { abortSignal }),
    ),
  PutImage: (input, abortSignal) =>
    measure('ecr:PutImage', () => client.send(new PutImageCommand(input), { abortSignal })),
});

export const publicEcr = (client: ecrPublic.ECRPUBLICClient, measure: Measure): Ecr => ({
  InitiateLayerUpload: (input, abortSignal) =>
    measure('ecr-public:InitiateLayerUpload', () =>
      client.send(new ecrPublic.InitiateLayerUploadCommand(input), { abortSignal }),
    ),
  UploadLayerPart: (input, abortSignal) =>
    measure('ecr-public:UploadLayerPart', () =>
      client.send(new ecrPublic.UploadLayerPartCommand(input), { abortSignal }),
    ),
  CompleteLayerUpload: (input, abortSignal) =>
    measure('ecr-public:CompleteLayerUpload', () =>
      client.send(new ecrPublic.CompleteLayerUploadCommand(input), { abortSignal }),
    ),
  BatchCheckLayerAvailability: (input, abortSignal) =>
    measure('ecr-public:BatchCheckLayerAvailability', () =>
      client.send(new ecrPublic.BatchCheckLayerAvailabilityCommand(input), { abortSignal }),
    ),
  PutImage: (input, abortSignal) =>
    measure('ecr-public:PutImage', () => client.send(new ecrPublic.PutImageCommand(input), { abortSignal })),
});

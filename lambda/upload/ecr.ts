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
import type { OperationName, OperationOf } from '../../api/operations.ts';
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

/** Each call is counted by its name, and its answer checked. */
const callsTo =
  (registry: Registry, measure: Measure) =>
  <Name extends OperationName>(operation: Name, send: EcrCall<Name>): EcrCall<Name> =>
    answering(operation, (input, abortSignal) =>
      measure(`${registry}:${operation}`, () => send(input, abortSignal)),
    );

export function privateEcr(client: ECRClient, measure: Measure): EcrServices['ecr'] {
  const call = callsTo('ecr', measure);
  return {
    InitiateLayerUpload: call('InitiateLayerUpload', (input, abortSignal) =>
      client.send(new InitiateLayerUploadCommand(input), { abortSignal }),
    ),
    UploadLayerPart: call('UploadLayerPart', (input, abortSignal) =>
      bodies.send(new UploadLayerPartCommand(input), (command) => client.send(command, { abortSignal })),
    ),
    CompleteLayerUpload: call('CompleteLayerUpload', (input, abortSignal) =>
      client.send(new CompleteLayerUploadCommand(input), { abortSignal }),
    ),
    BatchCheckLayerAvailability: call('BatchCheckLayerAvailability', (input, abortSignal) =>
      client.send(new BatchCheckLayerAvailabilityCommand(input), { abortSignal }),
    ),
    PutImage: call('PutImage', (input, abortSignal) =>
      client.send(new PutImageCommand(input), { abortSignal }),
    ),
    BatchGetImage: call('BatchGetImage', (input, abortSignal) =>
      client.send(new BatchGetImageCommand(input), { abortSignal }),
    ),
    ListImages: call('ListImages', (input, abortSignal) =>
      client.send(new ListImagesCommand(input), { abortSignal }),
    ),
    ListImageReferrers: call('ListImageReferrers', (input, abortSignal) =>
      client.send(new ListImageReferrersCommand(input), { abortSignal }),
    ),
    GetDownloadUrlForLayer: call('GetDownloadUrlForLayer', (input, abortSignal) =>
      client.send(new GetDownloadUrlForLayerCommand(input), { abortSignal }),
    ),
  };
}

export function publicEcr(client: ecrPublic.ECRPUBLICClient, measure: Measure): EcrServices['ecr-public'] {
  const call = callsTo('ecr-public', measure);
  return {
    InitiateLayerUpload: call('InitiateLayerUpload', (input, abortSignal) =>
      client.send(new ecrPublic.InitiateLayerUploadCommand(input), { abortSignal }),
    ),
    UploadLayerPart: call('UploadLayerPart', (input, abortSignal) =>
      bodies.send(new ecrPublic.UploadLayerPartCommand(input), (command) =>
        client.send(command, { abortSignal }),
      ),
    ),
    CompleteLayerUpload: call('CompleteLayerUpload', (input, abortSignal) =>
      client.send(new ecrPublic.CompleteLayerUploadCommand(input), { abortSignal }),
    ),
    BatchCheckLayerAvailability: call('BatchCheckLayerAvailability', (input, abortSignal) =>
      client.send(new ecrPublic.BatchCheckLayerAvailabilityCommand(input), { abortSignal }),
    ),
    PutImage: call('PutImage', (input, abortSignal) =>
      client.send(new ecrPublic.PutImageCommand(input), { abortSignal }),
    ),
  };
}

// ECR's uploads in memory, with its rules at the size of these tests: parts of 5 to 10 bytes, the last may be shorter.

import {
  BatchCheckLayerAvailabilityCommand,
  CompleteLayerUploadCommand,
  ECRServiceException,
  InvalidLayerPartException,
  UploadLayerPartCommand,
} from '@aws-sdk/client-ecr';
import { digestOf } from './content.ts';
import type { Effect } from './scheduler.ts';

const minPartBytes = 5;
const maxPartBytes = 10;

/** `endsShort`: its last part is one that nothing may follow. */
type Upload = { bytes: Uint8Array; endsShort: boolean; hasShortPart: boolean };

function refuse(name: string, attempts: number, message = name): never {
  throw new ECRServiceException({
    name,
    message,
    $fault: 'client',
    $metadata: { httpStatusCode: 400, attempts },
  });
}

export function ecrInMemory() {
  const uploads = new Map<string, Upload>();
  /** By digest, and which upload made it. */
  const layers = new Map<string, { bytes: Uint8Array; uploadId: string }>();

  const find = (uploadId: string | undefined, attempts: number): Upload =>
    uploads.get(uploadId ?? '') ?? refuse('UploadNotFoundException', attempts);

  function uploadPart({ input }: UploadLayerPartCommand, attempts: number) {
    const { uploadId, partFirstByte = 0, partLastByte = 0, layerPartBlob = new Uint8Array() } = input;
    const upload = find(uploadId, attempts);
    const { length } = layerPartBlob;
    const has = upload.bytes.length;
    if (
      partFirstByte !== has ||
      length === 0 ||
      length !== partLastByte - partFirstByte + 1 ||
      length > maxPartBytes
    ) {
      throw new InvalidLayerPartException({
        message: 'not the next part',
        $metadata: { httpStatusCode: 400, attempts },
        ...(has > 0 && { lastValidByteReceived: has - 1 }),
      });
    }
    uploads.set(uploadId ?? '', {
      bytes: Buffer.concat([upload.bytes, layerPartBlob]),
      endsShort: length < minPartBytes,
      hasShortPart: upload.hasShortPart || upload.endsShort,
    });
    return { lastByteReceived: partLastByte };
  }

  function complete({ input }: CompleteLayerUploadCommand, attempts: number) {
    const { uploadId = '', layerDigests = [] } = input;
    const { bytes, hasShortPart } = find(uploadId, attempts);
    if (bytes.length === 0) {
      refuse('EmptyUploadException', attempts);
    }
    if (hasShortPart) {
      refuse('LayerPartTooSmallException', attempts);
    }
    const layerDigest = digestOf(bytes);
    if (!layerDigests.includes(layerDigest)) {
      refuse('InvalidLayerException', attempts);
    }
    if (layers.has(layerDigest)) {
      refuse('LayerAlreadyExistsException', attempts);
    }
    uploads.delete(uploadId);
    layers.set(layerDigest, { bytes, uploadId });
    return { layerDigest };
  }

  const availability = (layerDigests: readonly string[]) => ({
    layers: layerDigests.flatMap((layerDigest) =>
      layers.has(layerDigest) ? [{ layerDigest, layerAvailability: 'AVAILABLE' }] : [],
    ),
    failures: [],
  });

  return {
    uploads,
    layers,
    state: () => [
      [...uploads].map(([id, { bytes, ...flags }]) => [id, Buffer.from(bytes).toString('hex'), flags]),
      [...layers].map(([digest, { uploadId }]) => [digest, uploadId]),
    ],
    open: (uploadId: string): void => {
      uploads.set(uploadId, { bytes: new Uint8Array(), endsShort: false, hasShortPart: false });
    },
    read: (command: unknown): Effect => {
      if (command instanceof UploadLayerPartCommand) {
        return { writes: true, effect: (attempts) => uploadPart(command, attempts) };
      }
      if (command instanceof CompleteLayerUploadCommand) {
        return { writes: true, effect: (attempts) => complete(command, attempts) };
      }
      if (command instanceof BatchCheckLayerAvailabilityCommand) {
        return { writes: false, effect: () => availability(command.input.layerDigests ?? []) };
      }
      throw new Error('ECR is asked what is not modelled');
    },
  };
}

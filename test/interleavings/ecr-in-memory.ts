// ECR's uploads in memory, with its rules at the size of these tests: parts of 5 to 10 bytes, the last may be shorter.

import {
  BatchCheckLayerAvailabilityCommand,
  CompleteLayerUploadCommand,
  ECRServiceException,
  InitiateLayerUploadCommand,
  InvalidLayerPartException,
  PutImageCommand,
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

  /** Manifests by tag. */
  const images = new Map<string, string>();

  const open = (uploadId: string): void => {
    uploads.set(uploadId, { bytes: new Uint8Array(), endsShort: false, hasShortPart: false });
  };

  let initiated = 0;
  function initiate() {
    initiated += 1;
    const uploadId = `00000000-0000-0000-0000-${String(initiated).padStart(12, '0')}`;
    open(uploadId);
    return { uploadId, partSize: maxPartBytes };
  }

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

  function putImage({ input }: PutImageCommand, attempts: number) {
    const { imageManifest = '', imageTag = '' } = input;
    if (images.get(imageTag) === imageManifest) {
      refuse('ImageAlreadyExistsException', attempts);
    }
    const named = [...imageManifest.matchAll(/sha256:[0-9a-f]{64}/g)].map(([layerDigest]) => layerDigest);
    if (!named.every((layerDigest) => layers.has(layerDigest))) {
      refuse('LayersNotFoundException', attempts);
    }
    images.set(imageTag, imageManifest);
    const imageId = { imageDigest: digestOf(Buffer.from(imageManifest)), imageTag };
    return { image: { imageId, imageManifest } };
  }

  const availability = (layerDigests: readonly string[]) => ({
    layers: layerDigests.map((layerDigest) => ({
      layerDigest,
      layerAvailability: layers.has(layerDigest) ? 'AVAILABLE' : 'UNAVAILABLE',
      layerSize: layers.get(layerDigest)?.bytes.length,
    })),
    failures: [],
  });

  return {
    uploads,
    layers,
    state: () => [
      [...uploads].map(([id, { bytes, ...flags }]) => [id, Buffer.from(bytes).toString('hex'), flags]),
      [...layers].map(([digest, { uploadId }]) => [digest, uploadId]),
    ],
    images,
    open,
    read: (command: unknown): Effect => {
      if (command instanceof InitiateLayerUploadCommand) {
        return { writes: true, effect: initiate };
      }
      if (command instanceof PutImageCommand) {
        return { writes: true, effect: (attempts) => putImage(command, attempts) };
      }
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

// Uploading a layer: initiate, take its parts in order, complete.

import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { EcrError } from './errors.ts';
import type { completeInput, uploadPartInput } from './inputs.ts';
import { maxLayerPartBytes, minLayerPartBytes } from './limits.ts';
import { registries } from './registries.ts';
import { type Upload, withEntry, withoutEntry } from './repository-state.ts';
import type { Target } from './target.ts';

type UploadPartInput = z.output<ReturnType<typeof uploadPartInput>>;
type CompleteInput = z.output<ReturnType<typeof completeInput>>;

export const initiateLayerUpload = ({ repository }: Target): Promise<object> =>
  repository.exclusively(async () => {
    const { state } = repository;
    const uploadId = randomUUID();
    const upload = { sizeBytes: 0, parts: 0, lastPartBytes: 0, hasSmallPartBeforeLast: false };
    await repository.commit({ ...state, uploads: withEntry(state.uploads, uploadId, upload) });
    return { uploadId, partSize: maxLayerPartBytes };
  });

/** @throws {EcrError} UploadNotFoundException, InvalidLayerPartException, LimitExceededException */
export function uploadLayerPart(target: Target, input: UploadPartInput): Promise<object> {
  const { repository, registryId } = target;
  const { uploadId, layerPartBlob } = input;
  return repository.exclusively(async () => {
    const { state } = repository;
    const { registry, repositoryName } = state;
    const upload = findUpload(target, uploadId);
    refuseInvalidPart(target, input, upload);
    if (upload.parts >= registries[registry].maxLayerParts) {
      throw new EcrError(
        'LimitExceededException',
        `A layer of this registry may have at most ${registries[registry].maxLayerParts} parts`,
      );
    }
    await repository.writeUpload(uploadId, upload.sizeBytes, layerPartBlob);
    const grown = withPart(upload, layerPartBlob.length);
    await repository.commit({ ...state, uploads: withEntry(state.uploads, uploadId, grown) });
    return { registryId, repositoryName, uploadId, lastByteReceived: grown.sizeBytes - 1 };
  });
}

/**
 * The digest is that of the bytes on disk. A refusal leaves the upload as it was (inferred).
 * @throws {EcrError} UploadNotFoundException, EmptyUploadException, LayerPartTooSmallException,
 * InvalidLayerException, LayerAlreadyExistsException
 */
export function completeLayerUpload(
  target: Target,
  { uploadId, layerDigests }: CompleteInput,
): Promise<object> {
  const { repository, registryId } = target;
  return repository.exclusively(async () => {
    const { state } = repository;
    const { repositoryName } = state;
    const { sizeBytes, parts, hasSmallPartBeforeLast } = findUpload(target, uploadId);
    const place = `in the repository with name '${repositoryName}' in registry with id '${registryId}'`;
    // @see https://github.com/devcontainers/cli/issues/814
    if (parts === 0) {
      throw new EcrError(
        'EmptyUploadException',
        `The upload with id '${uploadId}' ${place} cannot be completed because it does not have any parts`,
      );
    }
    if (hasSmallPartBeforeLast) {
      throw new EcrError(
        'LayerPartTooSmallException',
        'All layer parts except the last part should be at least 5MB',
      );
    }
    const layerDigest = await repository.hashUpload(uploadId, sizeBytes);
    if (!layerDigests.includes(layerDigest)) {
      throw new EcrError(
        'InvalidLayerException',
        'None of the provided layer digests match the calculated layer digest',
      );
    }
    if (state.layers.has(layerDigest)) {
      throw new EcrError(
        'LayerAlreadyExistsException',
        `Layer with digest '${layerDigest}' already exists ${place}`,
      );
    }
    await repository.commit({
      ...state,
      uploads: withoutEntry(state.uploads, uploadId),
      layers: withEntry(state.layers, layerDigest, { sizeBytes, uploadId }),
    });
    return { registryId, repositoryName, uploadId, layerDigest };
  });
}

function findUpload({ repository, registryId }: Target, uploadId: string): Upload {
  const { uploads, repositoryName } = repository.state;
  const upload = uploads.get(uploadId);
  if (upload) {
    return upload;
  }
  throw new EcrError(
    'UploadNotFoundException',
    `The upload with id '${uploadId}' does not exist in the repository with name '${repositoryName}' ` +
      `in the registry with id '${registryId}'`,
  );
}

/**
 * Parts are consecutive, and a part is as long as its positions say. That a wrong length is this exception rather
 * than InvalidParameterException is the API reference's: "the layer part size is not valid, or the first byte
 * specified is not consecutive to the last byte of a previous layer part upload".
 */
function refuseInvalidPart({ repository, registryId }: Target, input: UploadPartInput, upload: Upload): void {
  const { uploadId, partFirstByte, partLastByte, layerPartBlob } = input;
  const expectedBytes = partLastByte - partFirstByte + 1;
  const reason =
    partFirstByte !== upload.sizeBytes
      ? `First byte of the layer part is ${partFirstByte} instead of ${upload.sizeBytes}`
      : layerPartBlob.length === 0
        ? 'The layer part is empty'
        : layerPartBlob.length !== expectedBytes
          ? `The layer part has ${layerPartBlob.length} bytes instead of ${expectedBytes}`
          : layerPartBlob.length > maxLayerPartBytes
            ? `The layer part has ${layerPartBlob.length} bytes, more than ${maxLayerPartBytes}`
            : undefined;
  if (reason === undefined) {
    return;
  }
  const { repositoryName } = repository.state;
  throw new EcrError('InvalidLayerPartException', reason, {
    registryId,
    repositoryName,
    uploadId,
    ...(upload.sizeBytes > 0 && { lastValidByteReceived: upload.sizeBytes - 1 }),
  });
}

function withPart(upload: Upload, partBytes: number): Upload {
  const lastPartIsSmall = upload.parts > 0 && upload.lastPartBytes < minLayerPartBytes;
  return {
    sizeBytes: upload.sizeBytes + partBytes,
    parts: upload.parts + 1,
    lastPartBytes: partBytes,
    hasSmallPartBeforeLast: upload.hasSmallPartBeforeLast || lastPartIsSmall,
  };
}

// A layer upload whose parts go to ECR as they arrive, from a front that streams: nothing waits and nothing is staged.

import { ProxyError } from '../../api/proxy-error.ts';
import { probeByte } from '../../api/registries.ts';
import { refusedPartOf, wasRetried } from '../sdk-failures.ts';
import { countOf, type LayerPart, sizeOf } from './layer-parts.ts';
import { type LayerUpload, sendToEcr } from './layer-upload.ts';

export type DirectUpload = Omit<LayerUpload, 'staging' | 'partSize'>;

/** ECR's refusal of bytes that are not the next ones. */
type Misplaced = { readonly receivedBytes: number; readonly wasRetried: boolean };

async function offer(
  upload: DirectUpload,
  firstByte: number,
  bytes: Uint8Array,
): Promise<Misplaced | undefined> {
  try {
    await sendToEcr(upload, firstByte, bytes);
    return undefined;
  } catch (error) {
    const refused = refusedPartOf(error);
    if (refused) {
      return { receivedBytes: countOf(refused.lastValidByteReceived), wasRetried: wasRetried(error) };
    }
    throw error;
  }
}

function notNext(upload: DirectUpload, { partFirstByte }: LayerPart, receivedBytes: number) {
  upload.count('Resumes');
  return new ProxyError(
    'InvalidLayerPartException',
    `First byte of the layer part is ${partFirstByte} instead of ${receivedBytes}.`,
    {
      members: {
        registryId: upload.registryId,
        repositoryName: upload.repositoryName,
        uploadId: upload.sealedUploadId,
        ...(receivedBytes > 0 && { lastValidByteReceived: receivedBytes - 1 }),
      },
    },
  );
}

/**
 * Whether a part would be the next one: an empty part is the question of a client that resumes an upload.
 *
 * @throws InvalidLayerPartException with `lastValidByteReceived` when it would not
 */
async function assertNext(upload: DirectUpload, part: LayerPart): Promise<void> {
  const misplaced = await offer(upload, probeByte(upload.registry), new Uint8Array(1));
  if (misplaced === undefined) {
    throw new ProxyError('ServerException');
  }
  if (misplaced.receivedBytes !== part.partFirstByte) {
    throw notNext(upload, part, misplaced.receivedBytes);
  }
}

/**
 * Sends a part to ECR. One that is sent again because its answer was lost, and that ECR already has, succeeds; if
 * ECR has it without that, it came with another request, and this one is refused.
 *
 * @throws InvalidLayerPartException with `lastValidByteReceived` when the part is not the next
 */
export async function takeDirectPart(
  upload: DirectUpload,
  part: LayerPart,
  { bytes, isRepeated }: { bytes: Uint8Array; isRepeated: boolean },
): Promise<void> {
  if (sizeOf(part) === 0) {
    return assertNext(upload, part);
  }
  const misplaced = await offer(upload, part.partFirstByte, bytes);
  if (misplaced === undefined) {
    return;
  }
  const isSecond = isRepeated || misplaced.wasRetried;
  if (!isSecond || misplaced.receivedBytes !== part.partLastByte + 1) {
    throw notNext(upload, part, misplaced.receivedBytes);
  }
  upload.count('Resumes');
}

// Uploads one layer through the proxy: starts an upload, sends part after part, resumes where the proxy says, completes it.

import type { Members, OperationName, Output } from '../api/operations.ts';
import { LayerProblem } from './layer-problem.ts';
import type { LayerReader, Part } from './layer-reader.ts';
import { isProblem, type ProxyProblem } from './problem.ts';

/** Sends one operation, with retries. */
export type Send = <Name extends OperationName>(
  operation: Name,
  members: Members<Name>,
) => Promise<Output<Name>>;

export type Destination = { repositoryName: string; registryId?: string | undefined };

type LayerUploadOptions = {
  send: Send;
  reader: LayerReader;
  destination: Destination;
  /** Asked once the source has ended: a layer that turns out to have another digest is not completed. */
  expectedDigest: () => string | undefined;
  /** The proxy has begun an upload; called again when a lost upload is started again. */
  onBegun: () => void;
  /** Bytes the proxy holds; fewer than before where it lost some. */
  onProgress: (acknowledgedBytes: number) => void;
  /** Waits before the `count`-th resumption in a row without progress. */
  beforeResuming: (problem: ProxyProblem, count: number) => Promise<void>;
};

export type UploadedLayer = { layerDigest: string; bytes: number; outcome: 'pushed' | 'alreadyThere' };

/** How many uploads are begun for a layer whose upload is lost, and how often in a row one is resumed without progress. */
const maxUploads = 4;
const maxResumptions = 6;

/**
 * Uploads what the reader gives, from byte 0.
 * @throws LayerProblem; ProxyProblem; what the source throws
 */
export async function uploadLayer(options: LayerUploadOptions): Promise<UploadedLayer> {
  for (let uploads = 1; ; uploads += 1) {
    try {
      return await uploadOnce(options);
    } catch (error) {
      if (!isProblem(error, 'UploadNotFoundException')) {
        throw error;
      }
      if (uploads === maxUploads) {
        throw new LayerProblem('UploadLost', `the proxy lost this upload ${uploads} times`, error);
      }
      await returnToStart(options, error);
    }
  }
}

async function returnToStart({ reader, onProgress }: LayerUploadOptions, lost: ProxyProblem): Promise<void> {
  await orElse(
    reader.seek(0),
    'UploadLost',
    'the proxy no longer knows this upload, and the stream cannot be read again from its start: push the layer again',
    lost,
  );
  onProgress(0);
}

async function uploadOnce(options: LayerUploadOptions): Promise<UploadedLayer> {
  const { send, reader, destination, onBegun, onProgress, beforeResuming } = options;
  const { uploadId, partSize } = await send('InitiateLayerUpload', destination);
  onBegun();
  let furthest = 0;
  for (let resumptions = 0; ; ) {
    const part = await reader.next(partSize);
    try {
      if (!part) {
        return await complete(options, uploadId);
      }
      const next = await sendPart(options, uploadId, part);
      if (next > furthest) {
        resumptions = 0;
      }
      furthest = Math.max(furthest, next);
      await goOnFrom(reader, next);
      onProgress(next);
    } catch (error) {
      if (!isProblem(error, 'InvalidLayerPartException')) {
        throw error;
      }
      resumptions += 1;
      if (resumptions > maxResumptions) {
        throw new LayerProblem('NoProgress', `the proxy takes no part after byte ${furthest}`, error);
      }
      const next = nextByteAfter(error);
      await goOnFrom(reader, next, error);
      onProgress(next);
      await beforeResuming(error, resumptions);
    }
  }
}

/** The byte to go on from after a part that was taken. */
async function sendPart(
  { send, destination }: LayerUploadOptions,
  uploadId: string,
  { firstByte, bytes }: Part,
): Promise<number> {
  const { lastByteReceived } = await send('UploadLayerPart', {
    ...destination,
    uploadId,
    partFirstByte: firstByte,
    partLastByte: firstByte + bytes.length - 1,
    layerPartBlob: bytes,
  });
  return lastByteReceived + 1;
}

/** The byte to go on from after a refusal; where nothing was received, from the start. */
const nextByteAfter = ({ lastValidByteReceived }: ProxyProblem): number => (lastValidByteReceived ?? -1) + 1;

const goOnFrom = (reader: LayerReader, byte: number, cause?: ProxyProblem): Promise<void> =>
  orElse(
    reader.seek(byte),
    'BytesGone',
    `the proxy asks to go on from byte ${byte}, and the stream cannot be read again from there: push the layer again`,
    cause,
  );

async function complete(options: LayerUploadOptions, uploadId: string): Promise<UploadedLayer> {
  const { send, reader, destination } = options;
  const digest = reader.digest();
  const expected = options.expectedDigest();
  if (expected !== undefined && expected !== digest) {
    throw new LayerProblem('DigestMismatch', `the layer read is ${digest}, not ${expected}`);
  }
  const bytes = reader.position;
  if (bytes === 0) {
    throw new LayerProblem('EmptyLayer', 'the layer has no bytes, and ECR takes no layer without any');
  }
  try {
    const members = { ...destination, uploadId, layerDigests: [digest] };
    const { layerDigest } = await send('CompleteLayerUpload', members);
    return { layerDigest, bytes, outcome: 'pushed' };
  } catch (error) {
    if (!isProblem(error, 'LayerAlreadyExistsException')) {
      throw error;
    }
    return { layerDigest: digest, bytes, outcome: 'alreadyThere' };
  }
}

/** Turns bytes that cannot be read again into what that means for the upload; passes on every other failure. */
async function orElse(
  seeking: Promise<void>,
  code: 'UploadLost' | 'BytesGone',
  message: string,
  cause: ProxyProblem | undefined,
): Promise<void> {
  try {
    await seeking;
  } catch (error) {
    throw error instanceof LayerProblem ? new LayerProblem(code, message, cause ?? error) : error;
  }
}

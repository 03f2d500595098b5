// One layer upload in parts of 4 MiB: they wait, are joined and go to ECR, whose answers decide. Decision 0001.

import type { ErrorMembers } from '../../api/error-members.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { maxLayerBytes, type Registry } from '../../api/registries.ts';
import { refusedPartOf } from '../sdk-failures.ts';
import type { CallRecord } from '../telemetry/call-record.ts';
import type { Ecr } from './ecr.ts';
import {
  countOf,
  describeExpected,
  isNext,
  isSecondOfPair,
  joins,
  type LayerPart,
  receivedBytes,
  sizeOf,
  waitsForSecond,
} from './layer-parts.ts';
import type { Slot, SlotContent, Staging } from './staging.ts';

/** An upload as ECR knows it, and what is needed to continue it. */
export type LayerUpload = {
  readonly registry: Registry;
  readonly registryId: string;
  readonly repositoryName: string;
  /** As the client names it, and as ECR gets it. */
  readonly repository: { readonly registryId: string; readonly repositoryName: string };
  /** ECR's own. */
  readonly uploadId: string;
  /** As the client knows it. */
  readonly sealedUploadId: string;
  /** As InitiateLayerUpload answered it: two parts of this size are one of ECR's. */
  readonly partSize: number;
  readonly ecr: Ecr;
  readonly staging: Staging;
  readonly abortSignal: AbortSignal;
  readonly count: CallRecord['count'];
  /** Logs that something could not be staged, which does no harm. */
  readonly warn: CallRecord['warn'];
};

const noBytes = new Uint8Array();

/** How often a slot is read again when another invocation writes to it at the same time. */
const maxSlotAttempts = 3;

/** What it takes to send bytes to ECR. */
export type EcrUpload = Pick<LayerUpload, 'repository' | 'uploadId' | 'ecr' | 'abortSignal'>;

export const sendToEcr = (upload: EcrUpload, partFirstByte: number, layerPartBlob: Uint8Array) =>
  upload.ecr.UploadLayerPart(
    {
      ...upload.repository,
      uploadId: upload.uploadId,
      partFirstByte,
      partLastByte: partFirstByte + layerPartBlob.length - 1,
      layerPartBlob,
    },
    upload.abortSignal,
  );

/**
 * Sends bytes to ECR, which refuses them if they are not the next ones.
 *
 * @returns undefined when ECR took them, or how many bytes it has when they are not the next.
 */
async function offer(upload: LayerUpload, first: number, bytes: Uint8Array): Promise<number | undefined> {
  try {
    await sendToEcr(upload, first, bytes);
    return undefined;
  } catch (error) {
    const refused = refusedPartOf(error);
    if (refused) {
      return countOf(refused.lastValidByteReceived);
    }
    throw error;
  }
}

/**
 * How many bytes ECR has. No operation returns that, but the refusal of a part that is not the next one does: so one
 * byte is sent for a position that no part of this proxy can have.
 */
async function askEcr(upload: LayerUpload): Promise<number> {
  const bytesInEcr = await offer(upload, maxLayerBytes(upload.registry, upload.partSize), new Uint8Array(1));
  if (bytesInEcr === undefined) {
    throw new ProxyError('ServerException');
  }
  return bytesInEcr;
}

/** Those of ECR's InvalidLayerPartException. */
const membersOf = (upload: LayerUpload, received: number): ErrorMembers => ({
  registryId: upload.registryId,
  repositoryName: upload.repositoryName,
  uploadId: upload.sealedUploadId,
  // One byte can only be a whole layer of one byte, and ECR's answer for "nothing yet" may be 0 as well:
  // either way the client begins at 0.
  ...(received > 1 ? { lastValidByteReceived: received - 1 } : {}),
});

function notNext(upload: LayerUpload, part: LayerPart, received: number) {
  upload.count('Resumes');
  const detail = describeExpected(part, received, upload.partSize);
  return new ProxyError('InvalidLayerPartException', detail, { members: membersOf(upload, received) });
}

/**
 * Stages how far an upload is. A hint: when it is lost, ECR is asked.
 *
 * @returns false when another invocation has written since `previous` was read
 */
async function note(upload: LayerUpload, content: SlotContent, previous: Slot | undefined): Promise<boolean> {
  try {
    return await upload.staging.put(content, previous, upload.abortSignal);
  } catch (error) {
    upload.warn('the state of an upload was not staged', error);
    return true;
  }
}

async function stage(upload: LayerUpload, part: LayerPart, bytes: Uint8Array): Promise<void> {
  for (let attempt = 0; attempt < maxSlotAttempts; attempt++) {
    const slot = await upload.staging.head(upload.abortSignal);
    if (!isNext(slot, part)) {
      const bytesInEcr = await askEcr(upload);
      if (bytesInEcr > part.partLastByte) {
        return upload.count('Resumes');
      }
      if (bytesInEcr !== part.partFirstByte) {
        throw notNext(upload, part, receivedBytes(bytesInEcr, slot));
      }
    }
    const { completion } = slot ?? {};
    const written = { receivedBytes: part.partFirstByte, waiting: bytes, completion };
    if (await upload.staging.put(written, slot, upload.abortSignal)) {
      return;
    }
  }
  throw new ProxyError(
    'ServiceUnavailableException',
    'Another request is sending to the same upload. Try again.',
  );
}

async function send(upload: LayerUpload, part: LayerPart, bytes: Uint8Array): Promise<void> {
  const slot = isSecondOfPair(part, upload.partSize)
    ? await upload.staging.get(upload.abortSignal)
    : undefined;
  const joined = slot !== undefined && joins(slot, part);
  const bytesInEcr = joined
    ? await offer(upload, slot.receivedBytes, Buffer.concat([slot.waiting, bytes]))
    : await offer(upload, part.partFirstByte, bytes);
  if (bytesInEcr === undefined) {
    if (joined) {
      upload.count('PartJoins');
    }
    if (slot) {
      await note(upload, { ...slot, receivedBytes: part.partLastByte + 1, waiting: noBytes }, slot);
    }
  } else if (bytesInEcr > part.partLastByte) {
    upload.count('Resumes');
  } else {
    throw notNext(
      upload,
      part,
      receivedBytes(bytesInEcr, slot ?? (await upload.staging.head(upload.abortSignal))),
    );
  }
}

/**
 * Takes an aligned part: stages the first of a pair, and sends any other to ECR with what waits for it. A part that ECR
 * already has succeeds.
 *
 * @throws InvalidLayerPartException with `lastValidByteReceived` when the part is not the next.
 */
export const takePart = (upload: LayerUpload, part: LayerPart, bytes: Uint8Array): Promise<void> =>
  waitsForSecond(part, upload.partSize) ? stage(upload, part, bytes) : send(upload, part, bytes);

/** How many bytes the upload has, in ECR and waiting. */
async function received(upload: LayerUpload): Promise<number> {
  const [bytesInEcr, slot] = await Promise.all([askEcr(upload), upload.staging.head(upload.abortSignal)]);
  return receivedBytes(bytesInEcr, slot);
}

/** @throws InvalidLayerPartException, always: with what the upload has, for a part that is not aligned. */
export async function refusePart(upload: LayerUpload, part: LayerPart): Promise<never> {
  throw notNext(upload, part, await received(upload));
}

/** @throws RequestEntityTooLargeException or InvalidLayerPartException, always: for a part of a wrong size. */
export async function refuseSize(upload: LayerUpload, part: LayerPart, bytes: number): Promise<never> {
  const members = membersOf(upload, await received(upload));
  if (bytes > upload.partSize) {
    throw new ProxyError(
      'RequestEntityTooLargeException',
      `A part has ${upload.partSize} bytes at most, as InitiateLayerUpload answered in partSize; this one has ${bytes}.`,
      { members },
    );
  }
  throw new ProxyError(
    'InvalidLayerPartException',
    `The part has ${bytes} bytes, and its positions are those of ${sizeOf(part)}: partLastByte is partFirstByte plus the number of bytes sent, minus 1.`,
    { members },
  );
}

/** @throws InvalidLayerPartException for a part that leaves a gap after what the upload has. */
export async function refuseAhead(upload: LayerUpload, part: LayerPart): Promise<void> {
  const bytes = await received(upload);
  if (part.partFirstByte > bytes) {
    throw notNext(upload, part, bytes);
  }
}

/**
 * Sends what waits, so that the layer can be completed, and records in the slot what it is to be completed with, unless
 * a completion was recorded before. A slot whose bytes ECR already has is stale.
 *
 * @returns the completion that was recorded before this one, if any: once ECR has forgotten a completed upload, only a
 *   request for the same completion counts as a retry of it.
 */
export async function prepareCompletion(
  upload: LayerUpload,
  completion: string,
): Promise<string | undefined> {
  for (let attempt = 0; attempt < maxSlotAttempts; attempt++) {
    const slot = await upload.staging.get(upload.abortSignal);
    const isWaiting = slot !== undefined && slot.waitingBytes > 0;
    const bytesInEcr = isWaiting
      ? await offer(upload, slot.receivedBytes, slot.waiting)
      : slot?.receivedBytes;
    const receivedBytes = bytesInEcr ?? (slot ? slot.receivedBytes + slot.waitingBytes : 0);
    const noted = slot?.completion;
    const isNoted = !isWaiting && noted !== undefined;
    const content = { receivedBytes, waiting: noBytes, completion: noted ?? completion };
    if (isNoted || (await note(upload, content, slot))) {
      return noted;
    }
    // Another request has written to the slot: which completion it has recorded decides how this one ends.
  }
  return undefined;
}

/**
 * Once ECR has answered a completion: what is recorded (`before`) is replaced (`after`), also where it was removed in the
 * meantime. What waits in the slot, and what another request has recorded in the meantime, stays.
 */
export async function renoteCompletion(
  upload: LayerUpload,
  before: string,
  after: string | undefined,
): Promise<void> {
  try {
    for (let attempt = 0; attempt < maxSlotAttempts; attempt++) {
      const slot = await upload.staging.get(upload.abortSignal);
      const isReplaced = slot?.completion === before || slot?.completion === undefined;
      if (!slot || !isReplaced || slot.completion === after) {
        return;
      }
      if (await upload.staging.put({ ...slot, completion: after }, slot, upload.abortSignal)) {
        return;
      }
    }
  } catch (error) {
    upload.warn('what an upload was completed with was not staged', error);
  }
}

// The staging area in S3: one object per upload, with how many bytes ECR has and the part that waits.

import { randomBytes } from 'node:crypto';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { ProxyError } from '../../api/proxy-error.ts';
import { proxyErrorOf } from '../proxy-error.ts';
import { isAbsent, isOvertaken } from '../sdk-failures.ts';
import type { Measure } from '../telemetry/meter.ts';
import type { UploadPosition } from './layer-parts.ts';

/** What a slot says; `completion` identifies the digests that the upload was, or may have been, completed with. */
export type SlotContent = {
  readonly receivedBytes: number;
  readonly waiting: Uint8Array;
  readonly completion?: string | undefined;
};

/** A slot as it was read; `version` makes the next write conditional on no other write since. */
export type Slot = UploadPosition & {
  readonly version: string | undefined;
  readonly completion: string | undefined;
};
export type FullSlot = Slot & { readonly waiting: Uint8Array };

/** The staging area of one upload; a call rejects with a ProxyError. */
export type Staging = {
  /** Reads all but the bytes; undefined when there is no slot. */
  head(abortSignal: AbortSignal): Promise<Slot | undefined>;
  get(abortSignal: AbortSignal): Promise<FullSlot | undefined>;
  /**
   * Writes the slot if it still is as it was read (`previous`), or absent as it was.
   * @returns false when another invocation has written since.
   */
  put(slot: SlotContent, previous: Slot | undefined, abortSignal: AbortSignal): Promise<boolean>;
};

/** Other failures of S3 become errors here, so that they are not mistaken for ECR's. */
const undefinedIf = (isExpected: (failure: unknown) => boolean) => (failure: unknown) => {
  if (isExpected(failure)) {
    return undefined;
  }
  throw proxyErrorOf(failure);
};

type Metadata = Record<string, string>;

const receivedBytesKey = 'received-bytes';
const waitingBytesKey = 'waiting-bytes';
const completionKey = 'completion';

/**
 * An ETag of S3's is made of an object's bytes, so that two parts with the same bytes would be one version: a late write
 * would pass for one that knows of the second, and undo it. With these behind the part, no two writes are alike.
 */
const versionBytes = 16;

const metadataOf = ({ receivedBytes, waiting, completion }: SlotContent): Metadata => ({
  [receivedBytesKey]: String(receivedBytes),
  [waitingBytesKey]: String(waiting.length),
  ...(completion === undefined ? {} : { [completionKey]: completion }),
});

const isCount = (number: number): boolean => Number.isSafeInteger(number) && number >= 0;

/** It may be another answer the next time. */
const unusable = (what: string) => new ProxyError('ServerException', undefined, { cause: new Error(what) });

/** @param objectBytes are all that wait in a slot that was written before there were bytes behind them */
function readMetadata(metadata: Metadata | undefined, objectBytes: number) {
  const receivedBytes = Number(metadata?.[receivedBytesKey]);
  const waitingBytes = Number(metadata?.[waitingBytesKey] ?? objectBytes);
  if (!isCount(receivedBytes) || !isCount(waitingBytes)) {
    throw unusable('an object of the staging area is not one of this proxy');
  }
  return { receivedBytes, waitingBytes, completion: metadata?.[completionKey] };
}

export const s3Staging =
  (client: S3Client, bucket: string, measure: Measure) =>
  (key: string): Staging => {
    const object = { Bucket: bucket, Key: key };
    return {
      head: async (abortSignal) => {
        const found = await measure('s3:HeadObject', () =>
          client.send(new HeadObjectCommand(object), { abortSignal }),
        ).catch(undefinedIf(isAbsent));
        return (
          found && {
            ...readMetadata(found.Metadata, found.ContentLength ?? 0),
            version: found.ETag,
          }
        );
      },
      get: async (abortSignal) => {
        const found = await measure('s3:GetObject', () =>
          client.send(new GetObjectCommand(object), { abortSignal }),
        ).catch(undefinedIf(isAbsent));
        if (!found) {
          return undefined;
        }
        const bytes = (await found.Body?.transformToByteArray()) ?? new Uint8Array();
        const slot = readMetadata(found.Metadata, bytes.length);
        if (bytes.length < slot.waitingBytes) {
          throw unusable('an object of the staging area came without some of its bytes');
        }
        return { ...slot, version: found.ETag, waiting: bytes.subarray(0, slot.waitingBytes) };
      },
      put: async (content, previous, abortSignal) => {
        const condition = previous?.version ? { IfMatch: previous.version } : { IfNoneMatch: '*' };
        const body = Buffer.concat([content.waiting, randomBytes(versionBytes)]);
        const command = new PutObjectCommand({
          ...object,
          ...condition,
          Body: body,
          ContentLength: body.length,
          Metadata: metadataOf(content),
        });
        const written = await measure('s3:PutObject', () => client.send(command, { abortSignal })).catch(
          undefinedIf(isOvertaken),
        );
        if (written && written.ETag === undefined) {
          throw unusable('an object was put into the staging area, and the answer is not S3’s');
        }
        return written !== undefined;
      },
    };
  };

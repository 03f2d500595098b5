// The staging area in S3: one object per upload, with how many bytes ECR has and the part that waits.

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
const completionKey = 'completion';

const metadataOf = ({ receivedBytes, completion }: SlotContent): Metadata => ({
  [receivedBytesKey]: String(receivedBytes),
  ...(completion === undefined ? {} : { [completionKey]: completion }),
});

function readMetadata(metadata: Metadata | undefined) {
  const receivedBytes = Number(metadata?.[receivedBytesKey]);
  if (!Number.isSafeInteger(receivedBytes)) {
    throw new ProxyError('ServerException');
  }
  return { receivedBytes, completion: metadata?.[completionKey] };
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
            ...readMetadata(found.Metadata),
            waitingBytes: found.ContentLength ?? 0,
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
        const waiting = (await found.Body?.transformToByteArray()) ?? new Uint8Array();
        return {
          ...readMetadata(found.Metadata),
          waitingBytes: waiting.length,
          version: found.ETag,
          waiting,
        };
      },
      put: async (content, previous, abortSignal) => {
        const condition = previous?.version ? { IfMatch: previous.version } : { IfNoneMatch: '*' };
        const command = new PutObjectCommand({
          ...object,
          ...condition,
          Body: content.waiting,
          ContentLength: content.waiting.length,
          Metadata: metadataOf(content),
        });
        const written = await measure('s3:PutObject', () => client.send(command, { abortSignal })).catch(
          undefinedIf(isOvertaken),
        );
        return written !== undefined;
      },
    };
  };

// S3's objects in memory, with conditional writes: an ETag is the MD5 of an object's bytes, whatever its metadata say.

import { createHash } from 'node:crypto';
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { Effect } from './scheduler.ts';

type StoredObject = { bytes: Uint8Array; metadata: Record<string, string>; etag: string };

/** Source: Amazon S3 API reference, Object: true of what is encrypted with SSE-S3, the staging bucket's default. */
const etagOf = (bytes: Uint8Array) => `"${createHash('md5').update(bytes).digest('hex')}"`;

function refuse(name: string, httpStatusCode: number, attempts: number): never {
  throw new S3ServiceException({
    name,
    message: name,
    $fault: 'client',
    $metadata: { httpStatusCode, attempts },
  });
}

/** The bytes behind those that wait only make an ETag, which is told. */
const waitingIn = ({ bytes, metadata }: Pick<StoredObject, 'bytes' | 'metadata'>): string =>
  Buffer.from(bytes).toString('hex', 0, Number(metadata['waiting-bytes'] ?? bytes.length));

/** @param obeysConditions false plants a bug: whatever is written, is */
export function s3InMemory({ obeysConditions = true } = {}) {
  const objects = new Map<string, StoredObject>();

  function put({ input }: PutObjectCommand, attempts: number) {
    const { Key = '', Body, Metadata = {}, IfMatch, IfNoneMatch } = input;
    if (!(Body instanceof Uint8Array)) {
      throw new Error('S3 is given a body that is not modelled');
    }
    const found = objects.get(Key);
    if (obeysConditions && IfMatch !== undefined && !found) {
      refuse('NoSuchKey', 404, attempts);
    }
    const fails = IfMatch === undefined ? IfNoneMatch === '*' && found : found?.etag !== IfMatch;
    if (obeysConditions && fails) {
      refuse('PreconditionFailed', 412, attempts);
    }
    const etag = etagOf(Body);
    objects.set(Key, { bytes: Body, metadata: Metadata, etag });
    return { ETag: etag };
  }

  const find = ({ input }: HeadObjectCommand | GetObjectCommand, absent: string, attempts: number) =>
    objects.get(input.Key ?? '') ?? refuse(absent, 404, attempts);

  const described = ({ bytes, metadata, etag }: StoredObject) => ({
    Metadata: metadata,
    ContentLength: bytes.length,
    ETag: etag,
  });

  return {
    objects,
    state: () =>
      [...objects].map(([key, { bytes, metadata, etag }]) => [
        key,
        waitingIn({ bytes, metadata }),
        metadata,
        etag,
      ]),
    read: (command: unknown): Effect => {
      if (command instanceof PutObjectCommand) {
        return {
          writes: true,
          effect: (attempts) => put(command, attempts),
        };
      }
      if (command instanceof HeadObjectCommand) {
        return {
          writes: false,
          effect: (attempts) => described(find(command, 'NotFound', attempts)),
        };
      }
      if (command instanceof GetObjectCommand) {
        return {
          writes: false,
          effect: (attempts) => {
            const found = find(command, 'NoSuchKey', attempts);
            const { bytes } = found;
            const Body = { waiting: waitingIn(found), transformToByteArray: async () => bytes };
            return { ...described(found), Body };
          },
        };
      }
      throw new Error('S3 is asked what is not modelled');
    },
  };
}

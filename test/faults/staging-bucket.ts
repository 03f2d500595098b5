// The staging bucket of test/interleavings, as S3's wire has it, with each object as it was before its last write.

import { PutObjectCommand, S3ServiceException } from '@aws-sdk/client-s3';
import { s3InMemory } from '../interleavings/s3-in-memory.ts';
import { type Answer, type Asked, errorAnswer } from './answers.ts';

const metaPrefix = 'x-amz-meta-';

export const keyOf = ({ url = '' }: Asked): string =>
  decodeURIComponent(url.split('?', 1)[0]?.split('/').slice(2).join('/') ?? '');

export function stagingBucket() {
  const s3 = s3InMemory();
  const earlier = new Map<string, NonNullable<ReturnType<typeof s3.objects.get>>>();

  function put(Key: string, { headers }: Asked, Body: Uint8Array): Answer {
    const Metadata = Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]): [string, string][] =>
        name.startsWith(metaPrefix) ? [[name.slice(metaPrefix.length), String(value)]] : [],
      ),
    );
    const [IfMatch, IfNoneMatch] = [headers['if-match'], headers['if-none-match']];
    const before = s3.objects.get(Key);
    s3.read(new PutObjectCommand({ Bucket: '', Key, Body, Metadata, IfMatch, IfNoneMatch })).effect(1);
    if (before) {
      earlier.set(Key, before);
    }
    return { status: 200, headers: { etag: s3.objects.get(Key)?.etag ?? '' }, body: '' };
  }

  function get(Key: string): Answer {
    const found = s3.objects.get(Key);
    if (!found) {
      return errorAnswer('s3', 404, 'NoSuchKey');
    }
    const named = Object.entries(found.metadata).map(([name, text]) => [`${metaPrefix}${name}`, text]);
    return { status: 200, headers: { etag: found.etag, ...Object.fromEntries(named) }, body: found.bytes };
  }

  return {
    objects: s3.objects,
    earlier,
    answer: (method: string, request: Asked, body: Uint8Array): Answer => {
      const key = keyOf(request);
      try {
        return method === 'PUT' ? put(key, request, body) : get(key);
      } catch (error) {
        if (!(error instanceof S3ServiceException)) {
          throw error;
        }
        return errorAnswer('s3', error.$metadata.httpStatusCode ?? 500, error.name);
      }
    },
  };
}

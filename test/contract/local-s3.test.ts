// The local S3 keeps what the proxy leans on: whole objects with metadata, and conditional writes.

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startS3 } from '../../local/services/s3.ts';
import { randomBytes } from '../support/random-bytes.ts';

const dataDirectory = mkdtempSync(join(tmpdir(), 'local-s3-'));
const start = () => startS3({ port: 0, dataDirectory, bucketNames: ['staging'] });
const connect = (endpoint: string) =>
  new S3Client({
    endpoint,
    region: 'eu-central-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'AKIAANYBODYS', secretAccessKey: 'any', sessionToken: 'any' },
  });

let server: Awaited<ReturnType<typeof start>>;
let s3: S3Client;
beforeAll(async () => {
  server = await start();
  s3 = connect(server.url);
});
afterAll(() => server.close());

const Bucket = 'staging';
const put = (Key: string, Body: Uint8Array, conditions: { IfMatch?: string; IfNoneMatch?: string } = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, Metadata: { first: '0' }, ...conditions }));
const get = (Key: string) => s3.send(new GetObjectCommand({ Bucket, Key }));
const bytesOf = async (Key: string) => (await get(Key)).Body?.transformToByteArray();

describe('the local S3', () => {
  it('keeps an object of 4 MiB with its metadata through a restart', async () => {
    const bytes = randomBytes(4 * 1_048_576);
    await put('ecr/team-a/app/whole', bytes);
    await server.close();
    server = await start();
    s3 = connect(server.url);
    const found = await get('ecr/team-a/app/whole');
    expect(found.Metadata).toEqual({ first: '0' });
    expect(Buffer.from((await found.Body?.transformToByteArray()) ?? []).equals(bytes)).toBe(true);
  });

  it('says NoSuchKey for what is not there', async () => {
    await expect(get('nothing')).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key: 'nothing' }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 404 },
    });
  });

  it('writes with If-None-Match: * only where nothing is', async () => {
    await put('once', Buffer.from('a'), { IfNoneMatch: '*' });
    await expect(put('once', Buffer.from('b'), { IfNoneMatch: '*' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
      $metadata: { httpStatusCode: 412 },
    });
    expect(await bytesOf('once')).toEqual(new Uint8Array(Buffer.from('a')));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'once' }));
    await put('once', Buffer.from('c'), { IfNoneMatch: '*' });
  });

  it('writes with If-Match only over the object that it names', async () => {
    const { ETag = '' } = await put('matched', Buffer.from('a'));
    await put('matched', Buffer.from('b'), { IfMatch: ETag });
    await expect(put('matched', Buffer.from('c'), { IfMatch: ETag })).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
    await expect(put('missing', Buffer.from('c'), { IfMatch: ETag })).rejects.toMatchObject({
      name: 'NoSuchKey',
    });
    expect(await bytesOf('matched')).toEqual(new Uint8Array(Buffer.from('b')));
  });

  it('lets one of many simultaneous writers through', async () => {
    const writes = Array.from({ length: 8 }, (_, index) =>
      put('race', Buffer.alloc(100_000, index), { IfNoneMatch: '*' }),
    );
    const outcomes = await Promise.allSettled(writes);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

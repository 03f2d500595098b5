// The local S3 keeps what the proxy leans on: whole objects with metadata, and conditional writes.

import { once } from 'node:events';
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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

  it.each([
    ['what was there before', { was: 'there', is: 'there' }],
    ['nothing, where nothing was', { was: undefined, is: undefined }],
  ])('keeps %s when the connection breaks amid a write', async (_, { was, is }) => {
    const key = `cut-off-${was}`;
    if (was !== undefined) {
      await put(key, Buffer.from(was));
    }
    const cutOff = request(`${server.url}/${Bucket}/${key}`, {
      method: 'PUT',
      headers: { 'content-length': 4 * 1_048_576, 'x-amz-meta-first': '1' },
    });
    const broken = once(cutOff, 'close');
    cutOff.on('error', () => undefined);
    const { PUT: before = 0 } = server.requests;
    cutOff.write(randomBytes(1_048_576));
    await expect.poll(() => server.requests.PUT, { timeout: 60_000 }).toBe(before + 1);
    await sleep(100);
    cutOff.destroy();
    await broken.catch(() => undefined);
    // A request for the same key waits for the one before.
    const found = await get(key).catch(() => undefined);
    expect(await found?.Body?.transformToString()).toBe(is);
    expect(found?.Metadata?.first).toBe(was && '0');
  });

  it('drops at its start what a kill has left of a write', async () => {
    await put('before', Buffer.from('a'));
    await server.close();
    const [name = ''] = readdirSync(join(dataDirectory, Bucket));
    writeFileSync(join(dataDirectory, Bucket, `${name}.new`), 'half');
    server = await start();
    s3 = connect(server.url);
    expect(readdirSync(join(dataDirectory, Bucket)).filter((one) => one.endsWith('.new'))).toEqual([]);
    expect(await bytesOf('before')).toEqual(new Uint8Array(Buffer.from('a')));
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

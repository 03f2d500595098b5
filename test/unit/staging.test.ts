// The staging area where S3's answer is not what S3 would give: no byte of a layer is taken from it, and no write for done.

import { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { s3Staging } from '../../lambda/upload/staging.ts';
import { proxyErrorFrom } from '../support/forwarding.ts';

const config = { region: 'local', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
const { signal } = new AbortController();

/** The staging area of an upload over an S3 that answers everything alike. */
const stagingOver = (answer: object, measured: string[] = []) =>
  s3Staging(Object.assign(new S3Client(config), { send: async () => answer }), 'staging', (call, send) => {
    measured.push(call);
    return send();
  })('key');

/** An object of these bytes, as S3 answers with it. */
const objectOf = (bytes: number, received: string | undefined, waiting: string | undefined) => ({
  ...{ ETag: '"1"', ContentLength: bytes },
  Body: { transformToByteArray: async () => new Uint8Array(bytes).fill(7) },
  Metadata: {
    ...(received !== undefined && { 'received-bytes': received }),
    ...(waiting !== undefined && { 'waiting-bytes': waiting }),
  },
});

const refused = (what: string) => ({ code: 'ServerException', cause: new Error(what) });

describe('an object of the staging area', () => {
  it.each<[string | undefined, string | undefined]>([
    [undefined, '0'],
    ['x', '0'],
    ['-1', '0'],
    ['0.5', '0'],
    ['9007199254740992', '0'],
    ['0', 'x'],
    ['0', '-1'],
    ['0', '0.5'],
    ['0', '9007199254740992'],
  ])(
    'is none of this proxy’s that says received-bytes %j and waiting-bytes %j',
    async (received, waiting) => {
      const staging = stagingOver(objectOf(20, received, waiting));
      const expected = refused('an object of the staging area is not one of this proxy');
      expect(await proxyErrorFrom(staging.head(signal))).toMatchObject(expected);
      expect(await proxyErrorFrom(staging.get(signal))).toMatchObject(expected);
    },
  );

  it('has all the bytes that wait, which are the first of it', async () => {
    expect(await stagingOver(objectOf(20, '8', '4')).get(signal)).toEqual({
      ...{ receivedBytes: 8, waitingBytes: 4, version: '"1"', completion: undefined },
      waiting: new Uint8Array(4).fill(7),
    });
    expect(await stagingOver(objectOf(4, '8', '4')).get(signal)).toMatchObject({ waitingBytes: 4 });
    expect(await proxyErrorFrom(stagingOver(objectOf(3, '8', '4')).get(signal))).toMatchObject(
      refused('an object of the staging area came without some of its bytes'),
    );
  });

  it('is read, looked up and written in calls that are measured by their names', async () => {
    const measured: string[] = [];
    const staging = stagingOver(objectOf(4, '0', '4'), measured);
    const slot = await staging.get(signal);
    await staging.head(signal);
    await staging.put({ receivedBytes: 0, waiting: new Uint8Array(4) }, slot, signal);
    expect(measured).toEqual(['s3:GetObject', 's3:HeadObject', 's3:PutObject']);
  });

  it('is written where S3 says so by its ETag', async () => {
    const content = { receivedBytes: 0, waiting: new Uint8Array(4) };
    expect(await stagingOver({ ETag: '"1"' }).put(content, undefined, signal)).toBe(true);
    expect(await proxyErrorFrom(stagingOver({}).put(content, undefined, signal))).toMatchObject(
      refused('an object was put into the staging area, and the answer is not S3’s'),
    );
  });
});

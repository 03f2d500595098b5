// The parts of an upload in pairs, at the code as deployed, over ECR and S3 in memory: a part waits, is joined, is refused.

import { InvalidLayerPartException } from '@aws-sdk/client-ecr';
import { describe, expect, it } from 'vitest';
import { maxLayerBytes } from '../../api/registries.ts';
import { positionsOf } from '../interleavings/content.ts';
import {
  openForwarding,
  proxyErrorFrom,
  registryId,
  repositoryName,
  serviceError,
  uploadId,
} from '../support/forwarding.ts';

const put = 'PutObject';
const head = 'HeadObject';
const get = 'GetObject';
const part = 'UploadLayerPart';

/** ECR's refusal, as if it had this many bytes. */
const hasBytes = (bytes: number, attempts = 1) =>
  new InvalidLayerPartException({
    message: 'not the next part',
    $metadata: { httpStatusCode: 400, attempts },
    lastValidByteReceived: bytes - 1,
  });

const goOnFrom = (byte: number, first: number) =>
  `First byte of the layer part is ${first} instead of ${byte}. ` +
  `Send the 4 bytes from ${byte} on; only the last part may be shorter.`;

describe('the first part of a pair', () => {
  it('waits in S3, with where it begins, and ECR is not asked', async () => {
    const upload = openForwarding();
    await upload.send(0);
    expect(upload.sent.at(-1)).toMatchObject({
      input: { Bucket: 'staging', Key: `ecr/${registryId}/${repositoryName}/${uploadId}`, IfNoneMatch: '*' },
    });
    expect(upload.sent.map(({ abortSignal }) => abortSignal)).toEqual([
      upload.abortSignal,
      upload.abortSignal,
    ]);
    expect(upload.measured).toEqual(['s3:HeadObject', 's3:PutObject']);
    expect(upload.calls()).toEqual([head, put]);
    expect(upload.slot()).toEqual({ 'received-bytes': '0', 'waiting-bytes': '4' });
    expect(upload.count.mock.calls).toEqual([['Bytes', 4]]);
  });

  it('replaces itself when it is sent again', async () => {
    const upload = openForwarding();
    await upload.send(0, 0);
    expect(upload.calls()).toEqual([head, put, head, put]);
    expect(upload.received()).toBe(0);
  });

  it('is kept by ECR when it is sent again later, which takes no other note', async () => {
    const upload = openForwarding();
    await upload.send(0, 1);
    upload.calls();
    await upload.send(0);
    expect(upload.calls()).toEqual([head, part]);
    expect(upload.count).toHaveBeenCalledWith('Resumes');
    expect(upload.slot()).toEqual({ 'received-bytes': '8', 'waiting-bytes': '0' });
  });

  it('that ECR has to its last byte, and no further, is not taken again', async () => {
    const upload = openForwarding();
    upload.fail(part, hasBytes(12));
    await upload.send(2);
    expect(upload.calls()).toEqual([head, part]);
    upload.fail(part, hasBytes(11));
    expect((await proxyErrorFrom(upload.send(2))).members).toMatchObject({ lastValidByteReceived: 10 });
  });

  it('goes on where S3 has lost the slot, by what ECR says', async () => {
    const upload = openForwarding();
    await upload.send(0, 1);
    upload.s3.objects.clear();
    upload.calls();
    await upload.send(2);
    expect(upload.sent[1]).toMatchObject({
      name: part,
      input: { partFirstByte: maxLayerBytes('ecr', 4), partLastByte: maxLayerBytes('ecr', 4), uploadId },
    });
    expect(upload.calls()).toEqual([head, part, put]);
    await upload.send(3);
    expect(upload.received()).toBe(16);
  });

  it('is refused before its turn, with what waits counted in', async () => {
    const upload = openForwarding();
    await upload.send(0);
    const error = await proxyErrorFrom(upload.send(2));
    expect(error).toMatchObject({
      code: 'InvalidLayerPartException',
      message: goOnFrom(4, 8),
      members: { registryId, repositoryName, uploadId: upload.sealedUploadId, lastValidByteReceived: 3 },
    });
    expect(upload.count).toHaveBeenCalledWith('Resumes');
  });

  it('is tried again when another request has written to the slot, three times in all', async () => {
    const upload = openForwarding();
    upload.fail(put, serviceError('PreconditionFailed', 412), { times: 2 });
    await upload.send(0);
    expect(upload.calls()).toEqual([head, put, head, put, head, put]);
    upload.fail(put, serviceError('PreconditionFailed', 412), { times: 3 });
    expect(await proxyErrorFrom(upload.send(0))).toMatchObject({
      code: 'ServiceUnavailableException',
      message: 'Another request is sending to the same upload. Try again.',
    });
    expect(upload.calls()).toEqual([head, put, head, put, head, put]);
  });

  it('is not taken when S3 fails, whose failure is not mistaken for ECR’s', async () => {
    const upload = openForwarding();
    upload.fail(put, serviceError('SlowDown', 503));
    expect(await proxyErrorFrom(upload.send(0))).toMatchObject({ code: 'ThrottlingException' });
    upload.fail(head, hasBytes(4));
    expect(await proxyErrorFrom(upload.send(0))).toMatchObject({
      code: 'InvalidLayerPartException',
      members: {},
    });
  });
});

describe('the second part of a pair', () => {
  it('goes to ECR with the first, as one part, and the slot says so', async () => {
    const upload = openForwarding();
    await upload.send(0);
    upload.calls();
    await upload.send(1);
    expect(upload.sent[1]).toMatchObject({
      input: { registryId, repositoryName, uploadId, partFirstByte: 0, partLastByte: 7 },
    });
    expect(upload.sent[2]).toMatchObject({
      input: { IfMatch: expect.any(String) },
    });
    expect(upload.calls()).toEqual([get, part, put]);
    expect(upload.slot()).toEqual({ 'received-bytes': '8', 'waiting-bytes': '0' });
    expect(upload.count.mock.calls).toEqual([['Bytes', 4], ['PartJoins'], ['Bytes', 4]]);
  });

  it('is refused without the first, from where on the client has to send', async () => {
    const upload = openForwarding();
    const { members, message } = await proxyErrorFrom(upload.send(1));
    expect(members).toEqual({ registryId, repositoryName, uploadId: upload.sealedUploadId });
    expect(message).toBe(goOnFrom(0, 4));
    expect(upload.calls()).toEqual([get, part, head]);
  });

  it('is not joined with what waits elsewhere', async () => {
    const upload = openForwarding();
    await upload.send(0, 1);
    const { members, message } = await proxyErrorFrom(upload.send(3));
    expect(members).toMatchObject({ lastValidByteReceived: 7 });
    expect(message).toBe(goOnFrom(8, 12));
    await upload.send(2);
    upload.calls();
    await upload.send(1);
    expect(upload.calls()).toEqual([get, part]);
    expect(upload.slot()).toEqual({ 'received-bytes': '8', 'waiting-bytes': '4' });
  });

  it('succeeds once more after a lost answer, and notes nothing', async () => {
    const upload = openForwarding();
    await upload.send(0, 1);
    upload.calls();
    upload.count.mockClear();
    await upload.send(1);
    expect(upload.calls()).toEqual([get, part]);
    expect(upload.count.mock.calls).toEqual([['Resumes'], ['Bytes', 4]]);
  });

  it('succeeds although the note of it fails, which is logged', async () => {
    const upload = openForwarding();
    await upload.send(0);
    upload.fail(put, serviceError('SlowDown', 503));
    await upload.send(1);
    expect(upload.warn.mock.calls).toEqual([
      ['the state of an upload was not staged', expect.objectContaining({ code: 'ThrottlingException' })],
    ]);
    expect(upload.received()).toBe(8);
    await upload.send(2, 3);
    expect(upload.received()).toBe(16);
  });

  it('is joined with nothing where ECR has the first already', async () => {
    const upload = openForwarding();
    await upload.send(0);
    await expect(upload.complete()).rejects.toMatchObject({ name: 'InvalidLayerException' });
    expect(upload.received()).toBe(4);
    upload.fail(part, hasBytes(7));
    expect((await proxyErrorFrom(upload.send(1))).members).toMatchObject({ lastValidByteReceived: 6 });
  });

  it('that ECR takes alone is no join', async () => {
    const upload = openForwarding();
    await upload.send(0, 1);
    upload.count.mockClear();
    upload.answers.set(part, { lastByteReceived: 15 });
    await upload.send(3);
    expect(upload.count.mock.calls).toEqual([['Bytes', 4]]);
  });

  it('fails as ECR does', async () => {
    const upload = openForwarding();
    await upload.send(0);
    const error = serviceError('ThrottlingException');
    upload.fail(part, error);
    await expect(upload.send(1)).rejects.toBe(error);
    expect(upload.count).not.toHaveBeenCalledWith('PartJoins');
  });
});

describe('the last part', () => {
  it.each([
    ['alone', 3, []],
    ['first of a pair', 11, [0, 1]],
  ])('%s goes up at once, if it is short, and S3 is not asked', async (_, layerBytes, before) => {
    const upload = openForwarding({ layerBytes });
    await upload.send(...before);
    upload.calls();
    await upload.send(before.length);
    expect(upload.calls()).toEqual([part]);
    expect(upload.received()).toBe(layerBytes);
    await upload.send(before.length);
    expect(upload.received()).toBe(layerBytes);
  });

  it('second of a pair is joined, however short', async () => {
    const upload = openForwarding({ layerBytes: 5 });
    await upload.send(0, 1);
    expect(upload.received()).toBe(5);
  });

  it('is refused before its turn, with what waits counted in', async () => {
    const upload = openForwarding({ layerBytes: 10 });
    await upload.send(0);
    upload.calls();
    const { members } = await proxyErrorFrom(upload.send(2));
    expect(members).toMatchObject({ lastValidByteReceived: 3 });
    expect(upload.calls()).toEqual([part, head]);
  });

  it('is the last: what follows a short one is told to complete the upload', async () => {
    const upload = openForwarding();
    await upload.sendPart({ partFirstByte: 0, partLastByte: 2 });
    const { message, members } = await proxyErrorFrom(upload.send(1));
    expect(members).toMatchObject({ lastValidByteReceived: 2 });
    expect(message).toContain('complete the upload, or start a new one');
  });
});

describe('a slot', () => {
  const key = `ecr/${registryId}/${repositoryName}/${uploadId}`;
  const waiting = Uint8Array.from([1, 2, 3, 4]);
  const stored = (metadata: Record<string, string>) => {
    const upload = openForwarding();
    upload.s3.objects.set(key, { bytes: waiting, metadata, etag: '"x"' });
    return upload;
  };

  it('that was written before there were bytes behind the part holds nothing but the part', async () => {
    const upload = stored({ 'received-bytes': '0' });
    expect((await proxyErrorFrom(upload.send(2))).members).toMatchObject({ lastValidByteReceived: 3 });
    await upload.send(1);
    expect(upload.received()).toBe(8);
  });

  it.each([
    {},
    { 'received-bytes': 'x' },
    { 'received-bytes': '0', 'waiting-bytes': 'x' },
    { 'waiting-bytes': '4' },
  ])('that is none of ours is a fault, and no part: %j', async (metadata) => {
    const upload = stored(metadata);
    expect((await proxyErrorFrom(upload.send(0))).code).toBe('ServerException');
    expect((await proxyErrorFrom(upload.send(1))).code).toBe('ServerException');
  });

  it('that comes without some of its bytes is a fault, and no part', async () => {
    const upload = openForwarding();
    const Metadata = { 'received-bytes': '0', 'waiting-bytes': '4' };
    const Body = { transformToByteArray: async () => new Uint8Array(3) };
    upload.answers.set(get, { ETag: '"x"', Metadata, Body });
    expect((await proxyErrorFrom(upload.send(1))).code).toBe('ServerException');
    expect(upload.received()).toBe(0);
  });

  it('that is not said to be written is not there', async () => {
    const upload = openForwarding();
    upload.answers.set('PutObject', {});
    expect((await proxyErrorFrom(upload.send(0))).code).toBe('ServerException');
  });

  it('without metadata or bytes is a fault, or empty', async () => {
    const upload = openForwarding();
    upload.answers.set(head, { ETag: '"x"', ContentLength: 4 });
    upload.answers.set(get, { ETag: '"x"' });
    expect((await proxyErrorFrom(upload.send(0))).code).toBe('ServerException');
    expect((await proxyErrorFrom(upload.send(1))).code).toBe('ServerException');
    const Metadata = { 'received-bytes': '0' };
    upload.answers.set(head, { ETag: '"x"', Metadata });
    upload.answers.set(get, { ETag: '"x"', Metadata });
    for (const number of [1, 2]) {
      const { members } = await proxyErrorFrom(upload.send(number));
      expect(members).not.toHaveProperty('lastValidByteReceived');
    }
  });
});

describe('what ECR says it has', () => {
  it.each([
    [0, undefined],
    [1, undefined],
    [2, 1],
  ])('%i bytes are answered as lastValidByteReceived %s', async (bytes, lastValidByteReceived) => {
    const upload = openForwarding();
    upload.fail(part, hasBytes(bytes));
    const { members } = await proxyErrorFrom(upload.send(1));
    expect(members.lastValidByteReceived).toBe(lastValidByteReceived);
  });

  it.each([2 ** 53, -2, 0.5, 1e12, '7', {}])('is nothing where it says %j', async (lastValidByteReceived) => {
    const upload = openForwarding();
    const refusal = Object.assign(hasBytes(5), { lastValidByteReceived });
    upload.fail(part, refusal);
    const { code, members } = await proxyErrorFrom(upload.send(2));
    expect({ code, members }).toEqual({ code: 'ServerException', members: {} });
  });

  it('cannot be learned of an ECR that takes the byte which asks', async () => {
    const upload = openForwarding();
    upload.answers.set(part, { lastByteReceived: 0 });
    expect(await proxyErrorFrom(upload.send(2))).toMatchObject({ code: 'ServerException' });
  });
});

describe('a part that no upload can have', () => {
  it.each([
    ['empty', { partFirstByte: 0, partLastByte: -1, layerPartBlob: new Uint8Array() }, 0, 0],
    [
      'shorter than its positions',
      { partFirstByte: 0, partLastByte: 3, layerPartBlob: new Uint8Array(3) },
      3,
      4,
    ],
    [
      'longer than its positions',
      { partFirstByte: 0, partLastByte: 2, layerPartBlob: new Uint8Array(4) },
      4,
      3,
    ],
  ])('is refused before it is counted: %s', async (_, members, bytes, positions) => {
    const upload = openForwarding();
    await upload.send(0);
    upload.charge.mockClear();
    expect(await proxyErrorFrom(upload.sendPart(members))).toMatchObject({
      code: 'InvalidLayerPartException',
      message:
        `The part has ${bytes} bytes, and its positions are those of ${positions}: ` +
        'partLastByte is partFirstByte plus the number of bytes sent, minus 1.',
      members: { uploadId: upload.sealedUploadId, lastValidByteReceived: 3 },
    });
    expect(upload.charge).not.toHaveBeenCalled();
  });

  it('is refused when it is too large', async () => {
    const upload = openForwarding();
    await upload.send(0);
    expect(await proxyErrorFrom(upload.sendPart({ partFirstByte: 0, partLastByte: 4 }))).toMatchObject({
      code: 'RequestEntityTooLargeException',
      message: 'A part has 4 bytes at most, as InitiateLayerUpload answered in partSize; this one has 5.',
      members: { lastValidByteReceived: 3 },
    });
  });

  it('is refused when it begins at no multiple of the part size', async () => {
    const upload = openForwarding();
    await upload.send(0);
    upload.charge.mockClear();
    expect(await proxyErrorFrom(upload.sendPart({ partFirstByte: 2, partLastByte: 5 }))).toMatchObject({
      code: 'InvalidLayerPartException',
      message: goOnFrom(4, 2),
      members: { lastValidByteReceived: 3 },
    });
    expect(upload.charge).not.toHaveBeenCalled();
  });

  it('is refused beyond the largest layer, and not a byte before', async () => {
    const upload = openForwarding();
    const largest = maxLayerBytes('ecr', 4);
    const ending = (lastByte: number) => ({
      ...{ partFirstByte: lastByte - 3, partLastByte: lastByte, layerPartBlob: new Uint8Array(4) },
    });
    expect((await proxyErrorFrom(upload.sendPart(ending(largest - 1)))).code).toBe(
      'InvalidLayerPartException',
    );
    expect(upload.charge).toHaveBeenCalledTimes(1);
    expect(await proxyErrorFrom(upload.sendPart(ending(largest + 3)))).toMatchObject({
      code: 'LimitExceededException',
      message: `A layer has ${largest} bytes at most through this proxy. Make it smaller: sending it again will not help.`,
    });
    expect(upload.charge).toHaveBeenCalledTimes(1);
  });
});

describe('the quotas', () => {
  it('are asked before anything is staged or sent', async () => {
    const upload = openForwarding();
    upload.charge.mockRejectedValue(new Error('used up'));
    await expect(upload.send(0)).rejects.toThrow('used up');
    expect(upload.calls()).toEqual([]);
    expect(upload.charge.mock.calls[0]?.[2]?.abortSignal).toBe(upload.abortSignal);
  });

  it.each([
    [0, true],
    [1, true],
    [2, false],
  ])('learn whether part %i is ahead of the upload, of which one waits: %s', async (number, isTaken) => {
    const upload = openForwarding();
    await upload.send(0);
    let asked: Promise<void> | undefined;
    upload.charge.mockImplementation(async (_who, _usage, options) => {
      asked = options?.refuseAhead?.();
      await asked;
    });
    const result = upload.sendPart(positionsOf(number, 16));
    if (isTaken) {
      await result;
      await asked;
    } else {
      expect((await proxyErrorFrom(result)).members).toMatchObject({ lastValidByteReceived: 3 });
      expect((await proxyErrorFrom(Promise.resolve(asked))).code).toBe('InvalidLayerPartException');
    }
    expect(asked).toBeInstanceOf(Promise);
  });
});

// The parts of an upload that go to ECR as they come, from a front that streams, at the code as deployed.

import { InvalidLayerPartException } from '@aws-sdk/client-ecr';
import { describe, expect, it } from 'vitest';
import { maxEcrPartBytes } from '../../api/limits.ts';
import { maxDirectLayerBytes, probeByte } from '../../api/registries.ts';
import {
  openForwarding,
  proxyErrorFrom,
  registryId,
  repositoryName,
  serviceError,
  uploadId,
} from '../support/forwarding.ts';

const part = 'UploadLayerPart';
const open = () => openForwarding({ layerBytes: 16, sending: 'direct' });
const first = { partFirstByte: 0, partLastByte: 7 };
const second = { partFirstByte: 8, partLastByte: 15 };

const expected = {
  member: 'partLastByte',
  expected: `partFirstByte plus the number of bytes, minus 1, of which a part has ${maxEcrPartBytes} at most`,
};

describe('a direct part', () => {
  it('goes to ECR at once, and is counted', async () => {
    const upload = open();
    expect(await upload.sendPart(first)).toEqual({
      ...{ registryId, repositoryName, uploadId: upload.sealedUploadId, lastByteReceived: 7 },
    });
    expect(upload.sent).toMatchObject([
      {
        name: part,
        input: { ...first, uploadId, layerPartBlob: upload.layer.slice(0, 8) },
      },
    ]);
    expect(upload.count.mock.calls).toEqual([['Bytes', 8]]);
    expect(upload.charge.mock.calls[0]?.[2]).toEqual({ abortSignal: upload.abortSignal });
  });

  it('is refused when ECR is not so far, from where on the client has to send', async () => {
    const upload = open();
    await upload.sendPart(first);
    const gap = upload.sendPart({ partFirstByte: 9, partLastByte: 15 });
    expect(await proxyErrorFrom(gap)).toMatchObject({
      code: 'InvalidLayerPartException',
      message: 'First byte of the layer part is 9 instead of 8.',
      members: { registryId, repositoryName, uploadId: upload.sealedUploadId, lastValidByteReceived: 7 },
    });
    expect(upload.count.mock.calls.at(-1)).toEqual(['Resumes']);
  });

  it('says of no byte that it was received where there is none', async () => {
    const { members } = await proxyErrorFrom(open().sendPart(second));
    expect(members).toEqual({ registryId, repositoryName, uploadId: expect.any(String) });
  });

  it('that ECR has is another’s, unless the client says that it is repeated', async () => {
    const upload = open();
    await upload.sendPart(first);
    expect((await proxyErrorFrom(upload.sendPart(first))).members).toMatchObject({
      lastValidByteReceived: 7,
    });
    upload.count.mockClear();
    expect(await upload.sendPart(first, true)).toMatchObject({ lastByteReceived: 7 });
    expect(upload.count.mock.calls).toEqual([['Resumes'], ['Bytes', 8]]);
  });

  it('that the SDK has sent again is known by what ECR has', async () => {
    const upload = open();
    const answer = (lastValidByteReceived: number, attempts: number) =>
      new InvalidLayerPartException({
        message: 'not the next',
        $metadata: { httpStatusCode: 400, attempts },
        lastValidByteReceived,
      });
    upload.fail(part, answer(7, 2));
    expect(await upload.sendPart(first)).toMatchObject({ lastByteReceived: 7 });
    upload.fail(part, answer(8, 2));
    expect((await proxyErrorFrom(upload.sendPart(first))).code).toBe('InvalidLayerPartException');
    upload.fail(part, answer(7, 1));
    expect((await proxyErrorFrom(upload.sendPart(first))).code).toBe('InvalidLayerPartException');
  });

  it('repeated, of which ECR has more or less, is not the same part', async () => {
    const upload = open();
    await upload.sendPart(first);
    await upload.sendPart(second);
    expect((await proxyErrorFrom(upload.sendPart(first, true))).members).toMatchObject({
      lastValidByteReceived: 15,
    });
  });

  it('fails as ECR does', async () => {
    const upload = open();
    const error = serviceError('ThrottlingException');
    upload.fail(part, error);
    await expect(upload.sendPart(first)).rejects.toBe(error);
    expect(upload.count).not.toHaveBeenCalled();
  });
});

describe('an empty direct part', () => {
  const empty = (at: number) => ({
    partFirstByte: at,
    partLastByte: at - 1,
    layerPartBlob: new Uint8Array(),
  });

  it('asks ECR how far the upload is, by a byte that is nobody’s', async () => {
    const upload = open();
    await upload.sendPart(first);
    await upload.sendPart(empty(8));
    expect(upload.sent[1]).toMatchObject({
      input: { partFirstByte: probeByte('ecr'), partLastByte: probeByte('ecr') },
    });
    expect((await proxyErrorFrom(upload.sendPart(empty(4)))).members).toMatchObject({
      lastValidByteReceived: 7,
    });
    expect(upload.received()).toBe(8);
  });

  it('cannot be answered by an ECR that takes that byte', async () => {
    const upload = open();
    upload.answers.set(part, { lastByteReceived: 0 });
    expect((await proxyErrorFrom(upload.sendPart(empty(0)))).code).toBe('ServerException');
  });
});

describe('a direct part that no upload can have', () => {
  it.each([
    ['shorter than its positions', { ...first, layerPartBlob: new Uint8Array(7) }],
    ['longer than its positions', { ...first, layerPartBlob: new Uint8Array(9) }],
    [
      'larger than ECR takes',
      { partFirstByte: 0, partLastByte: maxEcrPartBytes, layerPartBlob: new Uint8Array(maxEcrPartBytes + 1) },
    ],
  ])('is refused before it is counted: %s', async (_, members) => {
    const upload = open();
    expect(await proxyErrorFrom(upload.sendPart(members))).toMatchObject({
      code: 'InvalidParameterException',
      members: { invalidMembers: [expected] },
    });
    expect(upload.charge).not.toHaveBeenCalled();
    expect(upload.calls()).toEqual([]);
  });

  it('may be as large as ECR takes', async () => {
    const upload = open();
    upload.answers.set(part, { lastByteReceived: maxEcrPartBytes - 1 });
    const largest = {
      partFirstByte: 0,
      partLastByte: maxEcrPartBytes - 1,
      layerPartBlob: new Uint8Array(maxEcrPartBytes),
    };
    expect(await upload.sendPart(largest)).toMatchObject({ lastByteReceived: maxEcrPartBytes - 1 });
  });

  it('is refused beyond the largest layer', async () => {
    const upload = open();
    const at = maxDirectLayerBytes('ecr');
    const beyond = { partFirstByte: at, partLastByte: at, layerPartBlob: new Uint8Array(1) };
    expect(await proxyErrorFrom(upload.sendPart(beyond))).toMatchObject({
      code: 'LimitExceededException',
      message: `A layer has ${at} bytes at most through this proxy. Make it smaller: sending it again will not help.`,
    });
    expect(upload.charge).not.toHaveBeenCalled();
  });

  it('is not sent when a quota is used up', async () => {
    const upload = open();
    upload.charge.mockRejectedValue(new Error('used up'));
    await expect(upload.sendPart(first)).rejects.toThrow('used up');
    expect(upload.calls()).toEqual([]);
  });
});

// The wire of the AWS API as no single SDK writes it: what every AWS client may send, and what comes back.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partSize as P } from '../../api/limits.ts';
import { type LocalStack, startLocalStack } from '../support/local-stack.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { tokens } from '../support/resource-api.ts';

const prefix = 'AmazonEC2ContainerRegistry_V20150921';
const repositoryName = 'team-a/app';

/** A signature as an SDK sends it: API Gateway drops it. */
const authorization =
  'AWS4-HMAC-SHA256 Credential=any/20261121/us-east-1/ecr/aws4_request, SignedHeaders=host, Signature=0';

describe('the wire of the AWS API', () => {
  let proxy: LocalStack;
  beforeAll(async () => {
    proxy = await startLocalStack();
  });
  afterAll(() => proxy?.close());

  const send = async (operation: string, body: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${proxy.proxyUrl}/`, {
      method: 'POST',
      headers: {
        authorization,
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `${prefix}.${operation}`,
        'x-amz-security-token': tokens.a,
        ...headers,
      },
      body,
    });
    const answer: unknown = await response.json();
    return { status: response.status, headers: response.headers, answer };
  };

  const json = (members: object) => JSON.stringify({ repositoryName, ...members });

  const begin = async (): Promise<string> => {
    const { answer } = await send('InitiateLayerUpload', json({}));
    return typeof answer === 'object' && answer !== null && 'uploadId' in answer
      ? String(answer.uploadId)
      : '';
  };

  it.each<[string, string, Record<string, string>]>([
    ['members that are null', '{"repositoryName":"team-a/app","registryId":null}', {}],
    ['members that ECR does not have', '{"repositoryName":"team-a/app","colour":"red"}', {}],
    ['slashes that are escaped', '{"repositoryName":"team-a\\/app"}', {}],
    ['a registryId', '{"repositoryName":"team-a/app","registryId":"123456789012"}', {}],
    [
      'a charset in the content type',
      '{"repositoryName":"team-a/app"}',
      { 'content-type': 'Application/X-Amz-Json-1.1; charset=utf-8' },
    ],
    [
      'a session token beside a signature of another form',
      '{"repositoryName":"team-a/app"}',
      { authorization: authorization.replaceAll(', ', ',') },
    ],
  ])('takes %s', async (_, body, headers) => {
    const { status, headers: answered, answer } = await send('InitiateLayerUpload', body, headers);
    expect({ status, answer }).toEqual({
      status: 200,
      answer: { uploadId: expect.any(String), partSize: P },
    });
    expect(answered.get('content-type')).toBe('application/x-amz-json-1.1');
    expect(answered.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('takes a whole part whose base64 has every slash escaped, as some JSON writers do', async () => {
    const layer = Buffer.alloc(P, 0xff); // all slashes in base64
    layer.set(randomBytes(P / 4));
    const text = layer.toString('base64').replaceAll('/', '\\/');
    const uploadId = await begin();
    // Three quarters of this part are slashes, which makes the event too large; no real layer comes near.
    const body = `{"repositoryName":"team-a\\/app","uploadId":"${uploadId}","partFirstByte":0,"partLastByte":${P - 1},"layerPartBlob":"${text}"}`;
    const refused = await send('UploadLayerPart', body);
    expect(refused).toMatchObject({
      status: 413,
      answer: {
        __type: 'InvalidLayerPartException',
        message: expect.stringContaining('written with escapes'),
      },
    });
    expect(refused.headers.get('x-amzn-errortype')).toBe('InvalidLayerPartException');

    const random = randomBytes(P);
    const escaped = random.toString('base64').replaceAll('/', '\\/');
    const part = `{"repositoryName":"team-a\\/app","uploadId":"${uploadId}","partFirstByte":0,"partLastByte":${P - 1},"layerPartBlob":"${escaped}"}`;
    expect(await send('UploadLayerPart', part)).toMatchObject({
      status: 200,
      answer: { registryId: '123456789012', repositoryName, uploadId, lastByteReceived: P - 1 },
    });
    const layerDigests = [digestOf(random)];
    expect((await send('CompleteLayerUpload', json({ uploadId, layerDigests }))).status).toBe(200);
  });

  it.each<[string, string, string, Record<string, string>]>([
    ['a body that is no JSON', '{"repositoryName":', 'InvalidParameterException', {}],
    ['a body that is no object', '[]', 'InvalidParameterException', {}],
    ['no body', '', 'InvalidParameterException', {}],
    ['a number for a text', '{"repositoryName":7}', 'InvalidParameterException', {}],
    ['another content type', '{}', 'SerializationException', { 'content-type': 'application/json' }],
    ['a target of another service', '{}', 'UnknownOperationException', { 'x-amz-target': 'S3.PutObject' }],
    ['an empty token', json({}), 'UnrecognizedClientException', { 'x-amz-security-token': '' }],
  ])('answers %s as AWS does: 400, __type and message', async (_, body, type, headers) => {
    const { status, headers: answered, answer } = await send('InitiateLayerUpload', body, headers);
    expect({ status, answer }).toEqual({
      status: 400,
      answer: expect.objectContaining({ __type: type, message: expect.stringMatching(/\w+ \w+/) }),
    });
    expect(answered.get('content-type')).toBe('application/x-amz-json-1.1');
    expect(answered.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(answered.get('retry-after')).toBeNull();
  });

  it('writes lastValidByteReceived as a number, with what identifies the upload', async () => {
    const uploadId = await begin();
    const part = (first: number, bytes: Buffer) =>
      send(
        'UploadLayerPart',
        json({
          uploadId,
          partFirstByte: first,
          partLastByte: first + bytes.length - 1,
          layerPartBlob: bytes.toString('base64'),
        }),
      );
    expect((await part(0, randomBytes(P))).status).toBe(200);
    expect((await part(2 * P, randomBytes(9))).answer).toEqual({
      __type: 'InvalidLayerPartException',
      message: expect.stringContaining(`instead of ${P}`),
      registryId: '123456789012',
      repositoryName,
      uploadId,
      lastValidByteReceived: P - 1,
    });
  });

  it('says what to do with a part that is larger than the partSize that was answered', async () => {
    const bytes = randomBytes(P + 3);
    const uploadId = await begin();
    const members = { uploadId, partFirstByte: 0, partLastByte: P + 2 };
    const body = json({ ...members, layerPartBlob: bytes.toString('base64') });
    expect(await send('UploadLayerPart', body)).toMatchObject({
      status: 400,
      answer: {
        __type: 'InvalidLayerPartException',
        message: expect.stringContaining(`${P} bytes at most`),
        registryId: '123456789012',
        repositoryName,
        uploadId,
      },
    });
  });
});

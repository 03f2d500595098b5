import type { APIGatewayProxyEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { partSize } from '../../api/limits.ts';
import type { OperationName } from '../../api/operations.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { readEventMembers, requestRules } from '../../lambda/gateway/event-members.ts';
import { resourceApi } from '../../lambda/gateway/resource-api.ts';
import { memberNameOf } from '../../lambda/invalid-members.ts';
import { validate } from '../../lambda/steps/validate.ts';
import { proxyEvent } from '../support/proxy-event.ts';

const digest = `sha256:${'0'.repeat(64)}`;
const uploadId = '11111111-2222-3333-4444-555555555555-00000000000000000000000000000000';

type Request = Parameters<typeof proxyEvent>[1];

/** A call to the resource API that has come as far as validate. */
async function validateEvent<Name extends OperationName>(event: APIGatewayProxyEvent, operation: Name) {
  const api = resourceApi(operation);
  const call = { operation, registry: 'ecr' } as const;
  const readMembers = () => readEventMembers(event, requestRules(call, api));
  return validate<Name>({ ...call, readMembers, refusesUnknownMembers: api.refusesUnknownMembers });
}

const call = async <Name extends OperationName>(operation: Name, request: Request) =>
  validateEvent(proxyEvent(operation, request), operation);

async function faultsOf(operation: OperationName, request: Request): Promise<unknown> {
  const failure: unknown = await call(operation, request).catch((error: unknown) => error);
  if (!(failure instanceof ProxyError)) {
    throw new Error('not refused', { cause: failure });
  }
  return { code: failure.code, members: failure.members.invalidMembers?.map(({ member }) => member) };
}

const invalid = (...members: string[]) => ({ code: 'InvalidParameterException', members });
const json = (body: unknown) => ({ json: body });
const raw = (bytes: number, contentRange?: string) => ({
  headers: {
    'content-type': 'application/octet-stream',
    ...(contentRange && { 'content-range': contentRange }),
  },
  bytes: Buffer.alloc(bytes, 1),
  query: { repositoryName: ['team-a/app'] },
  path: { uploadId },
});

describe('validate', () => {
  it('reads a raw part with its positions from Content-Range and its members from path and query', async () => {
    const { members, registry } = await call('UploadLayerPart', raw(10, 'bytes 0-9/*'));
    expect(registry).toBe('ecr');
    expect(members).toMatchObject({
      repositoryName: 'team-a/app',
      uploadId,
      partFirstByte: 0,
      partLastByte: 9,
    });
    expect(Buffer.from(members.layerPartBlob)).toEqual(Buffer.alloc(10, 1));
  });

  it('reads the same part from JSON with ECR’s members', async () => {
    const { members } = await call('UploadLayerPart', {
      ...json({ repositoryName: 'team-a/app', partFirstByte: 0, partLastByte: 2, layerPartBlob: 'AQEB' }),
      path: { uploadId },
    });
    expect(Buffer.from(members.layerPartBlob)).toEqual(Buffer.alloc(3, 1));
  });

  it('takes a blob of a whole part in base64 without overflowing the stack', async () => {
    const bytes = Buffer.alloc(partSize, 0xab);
    const { members } = await call('UploadLayerPart', {
      ...json({
        repositoryName: 'team-a/app',
        partFirstByte: 0,
        partLastByte: bytes.length - 1,
        layerPartBlob: bytes.toString('base64'),
      }),
      path: { uploadId },
    });
    expect(Buffer.compare(bytes, members.layerPartBlob)).toBe(0);
  });

  it.each(['bytes 0-2/*', 'BYTES 0-2/*', 'Bytes 0-2/3', 'bytes 0-2/999999999999999'])(
    'reads Content-Range: %s',
    async (contentRange) => {
      const { members } = await call('UploadLayerPart', raw(3, contentRange));
      expect(members).toMatchObject({ partFirstByte: 0, partLastByte: 2 });
    },
  );

  it('takes a content type in any case, and says how to write that of bytes', async () => {
    const named = (type: string) => ({ ...raw(3, 'bytes 0-2/*').headers, 'content-type': type });
    const initiate = {
      ...json({ repositoryName: 'a/b' }),
      headers: named('Application/JSON; charset=UTF-8'),
    };
    expect(await call('InitiateLayerUpload', initiate)).toMatchObject({ operation: 'InitiateLayerUpload' });
    const part = { ...raw(3, 'bytes 0-2/*'), headers: named('APPLICATION/OCTET-STREAM') };
    await expect(call('UploadLayerPart', part)).rejects.toMatchObject({
      code: 'UnsupportedMediaTypeException',
      message: expect.stringContaining('application/octet-stream, in lower case'),
    });
  });

  it('names the first members that are wrong, and says how many more there are', async () => {
    const members = Object.fromEntries(Array.from('abcdefgh', (name) => [name, 1]));
    const failure: unknown = await call('InitiateLayerUpload', json(members)).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      message: expect.stringMatching(/^repositoryName: .*; and 4 more$/),
      members: { invalidMembers: { length: 5 } },
    });
  });

  it.each<[string, OperationName, Request, unknown]>([
    ['a body that is not JSON', 'InitiateLayerUpload', { text: '{"repositoryName"' }, invalid('body')],
    ['no body', 'InitiateLayerUpload', {}, invalid('body')],
    ['JSON that is not an object', 'InitiateLayerUpload', json([]), invalid('body')],
    ['a missing member', 'InitiateLayerUpload', json({}), invalid('repositoryName')],
    [
      'an unknown member',
      'InitiateLayerUpload',
      json({ repositoryName: 'a/b', repository: 'x' }),
      invalid('repository'),
    ],
    [
      'a repository name in upper case',
      'InitiateLayerUpload',
      json({ repositoryName: 'Team/App' }),
      invalid('repositoryName'),
    ],
    [
      'a repository name of one character',
      'InitiateLayerUpload',
      json({ repositoryName: 'a' }),
      invalid('repositoryName'),
    ],
    [
      'a repository name with a path in it',
      'InitiateLayerUpload',
      json({ repositoryName: '../b' }),
      invalid('repositoryName'),
    ],
    [
      'a registry id that is no account',
      'InitiateLayerUpload',
      json({ repositoryName: 'a/b', registryId: '12' }),
      invalid('registryId'),
    ],
    [
      'several wrong members, each named',
      'CompleteLayerUpload',
      { ...json({ repositoryName: '', layerDigests: [] }), path: { uploadId } },
      invalid('repositoryName', 'layerDigests'),
    ],
    [
      'over 100 digests',
      'BatchCheckLayerAvailability',
      json({ repositoryName: 'a/b', layerDigests: Array(101).fill(digest) }),
      invalid('layerDigests'),
    ],
    [
      'a digest that is no text',
      'BatchCheckLayerAvailability',
      json({ repositoryName: 'a/b', layerDigests: [7] }),
      invalid('layerDigests.0'),
    ],
    [
      'half a character',
      'PutImage',
      json({ repositoryName: 'a/b', imageManifest: '{}', imageTag: '\ud800' }),
      invalid('body'),
    ],
    [
      'half a character in a member’s name',
      'PutImage',
      { text: '{"repositoryName":"a/b","imageManifest":"{}","\\udfff":1}' },
      invalid('body'),
    ],
    [
      'a member twice',
      'InitiateLayerUpload',
      { text: '{"repositoryName":"a/b","repositoryName":"a/c"}' },
      invalid('body'),
    ],
    [
      'a member named __proto__',
      'InitiateLayerUpload',
      { text: '{"repositoryName":"a/b","__proto__":{}}' },
      invalid('(another member)'),
    ],
    [
      '__proto__ in the query',
      'UploadLayerPart',
      { ...raw(10, 'bytes 0-9/*'), query: { repositoryName: ['a/b'], ['__proto__']: ['x'] } },
      invalid('(another member)'),
    ],
    [
      'a query beside JSON',
      'InitiateLayerUpload',
      { ...json({}), query: { repositoryName: ['a/b'] } },
      invalid('repositoryName'),
    ],
    [
      'an unknown member that is null',
      'InitiateLayerUpload',
      json({ repositoryName: 'a/b', more: null }),
      invalid('more'),
    ],
    [
      'a required member that is null',
      'InitiateLayerUpload',
      json({ repositoryName: null }),
      invalid('repositoryName'),
    ],
    [
      'a member named constructor',
      'InitiateLayerUpload',
      json({ repositoryName: 'a/b', constructor: {} }),
      invalid('constructor'),
    ],
    [
      'a name of another form given twice',
      'InitiateLayerUpload',
      { ...json({}), query: { 'a token': ['x', 'y'] } },
      invalid('(another member)'),
    ],
    [
      'a body larger than the operation’s',
      'InitiateLayerUpload',
      json({ repositoryName: 'a'.repeat(16_384) }),
      invalid('body'),
    ],
    [
      'a repository name of megabytes',
      'PutImage',
      json({ repositoryName: 'a'.repeat(4_000_000) }),
      invalid('repositoryName', 'imageManifest'),
    ],
    ['millions of objects', 'PutImage', { text: `{"a":[${'{},'.repeat(2_000_000)}{}]}` }, invalid('body')],
    ['a million brackets', 'PutImage', { text: `{"a":${'['.repeat(1_000_000)}` }, invalid('body')],
    [
      'a list for a blob',
      'UploadLayerPart',
      {
        ...json({ repositoryName: 'a/b', partFirstByte: 0, partLastByte: 2, layerPartBlob: [1, 2, 3] }),
        path: { uploadId },
      },
      invalid('layerPartBlob'),
    ],
    [
      'a number that has no end',
      'UploadLayerPart',
      {
        text: '{"repositoryName":"a/b","partFirstByte":1e999999,"partLastByte":2,"layerPartBlob":"AQEB"}',
        path: { uploadId },
      },
      invalid('partFirstByte'),
    ],
    [
      'a raw part of a layer that ends before it',
      'UploadLayerPart',
      raw(3, 'bytes 0-2/1'),
      invalid('Content-Range'),
    ],
    ['a raw part of a layer of no bytes', 'UploadLayerPart', raw(3, 'bytes 0-2/0'), invalid('Content-Range')],
    [
      'an empty manifest',
      'PutImage',
      json({ repositoryName: 'a/b', imageManifest: '' }),
      invalid('imageManifest'),
    ],
    [
      'a malformed image digest',
      'PutImage',
      json({ repositoryName: 'a/b', imageManifest: '{}', imageDigest: 'md5:1' }),
      invalid('imageDigest'),
    ],
    ['a raw part without Content-Range', 'UploadLayerPart', raw(10), invalid('Content-Range')],
    ['a raw part with another unit', 'UploadLayerPart', raw(10, 'octets 0-9/*'), invalid('Content-Range')],
    ['a raw part without bytes', 'UploadLayerPart', raw(0, 'bytes 0-0/*'), invalid('body')],
    [
      'a part from its last byte to its first',
      'UploadLayerPart',
      raw(10, 'bytes 9-0/*'),
      invalid('Content-Range'),
    ],
    [
      'a blob that is not base64',
      'UploadLayerPart',
      {
        ...json({ repositoryName: 'a/b', partFirstByte: 0, partLastByte: 2, layerPartBlob: 'A*==' }),
        path: { uploadId },
      },
      invalid('layerPartBlob'),
    ],
    [
      'positions that are no whole numbers',
      'UploadLayerPart',
      {
        ...json({ repositoryName: 'a/b', partFirstByte: 0.5, partLastByte: '2', layerPartBlob: 'AQEB' }),
        path: { uploadId },
      },
      invalid('partFirstByte', 'partLastByte'),
    ],
    [
      'a member that differs between path and body',
      'CompleteLayerUpload',
      { ...json({ repositoryName: 'a/b', uploadId: 'other', layerDigests: [digest] }), path: { uploadId } },
      invalid('uploadId'),
    ],
    [
      'a member given twice in the query',
      'UploadLayerPart',
      { ...raw(10, 'bytes 0-9/*'), query: { repositoryName: ['a/b', 'a/c'] } },
      invalid('repositoryName'),
    ],
    [
      'another content type',
      'InitiateLayerUpload',
      { headers: { 'content-type': 'text/plain' }, text: '{}' },
      { code: 'UnsupportedMediaTypeException' },
    ],
    [
      'raw bytes where only JSON goes',
      'PutImage',
      raw(10, 'bytes 0-9/*'),
      { code: 'UnsupportedMediaTypeException' },
    ],
  ])('refuses %s', async (_, operation, request, expected) => {
    expect(await faultsOf(operation, request)).toEqual(expected);
  });

  it('never quotes the body in its error', async () => {
    const failure: unknown = await call('InitiateLayerUpload', { text: 'layer-bytes{' }).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(ProxyError);
    expect(failure instanceof ProxyError && [failure.message, failure.cause].join()).not.toContain(
      'layer-bytes',
    );
  });
});

describe('validate, of what no HTTP request but an event can hold,', () => {
  const whole = { text: '{"repositoryName":"a/b"}' };
  const half = '\udc00';

  it.each<[string, Partial<APIGatewayProxyEvent>, string]>([
    ['half a character in the body', { body: `{"repositoryName":"${half}"}` }, 'body'],
    [
      'a body that is not UTF-8',
      { body: Buffer.from('7b22726570ff', 'hex').toString('base64'), isBase64Encoded: true },
      'body',
    ],
    [
      'what API Gateway makes of a body that is not UTF-8',
      { body: Buffer.from('7b227265706f7369746f72794e616d65223a2261ff227d', 'hex').toString() },
      'body',
    ],
    ['half a character in the query', { multiValueQueryStringParameters: { a: ['b', half] } }, 'a'],
    ['half a character as a name', { multiValueQueryStringParameters: { [half]: [''] } }, '(another member)'],
    ['half a character in the path', { pathParameters: { uploadId: half } }, 'uploadId'],
    [
      'half a character in a header',
      { headers: { 'content-type': 'application/json', 'content-range': half } },
      '(another member)',
    ],
  ])('refuses %s', async (_, members, member) => {
    const event = { ...proxyEvent('InitiateLayerUpload', whole), ...members };
    await expect(validateEvent(event, 'InitiateLayerUpload')).rejects.toMatchObject({
      code: 'InvalidParameterException',
      members: { invalidMembers: [{ member }] },
    });
  });

  it('takes U+FFFD where a digest tells whether the manifest is whole', async () => {
    const members = {
      repositoryName: 'a/b',
      imageManifest: '{"a":"\uFFFD"}',
      imageDigest: `sha256:${'0'.repeat(64)}`,
    };
    const ask = (body: object) =>
      validateEvent(proxyEvent('PutImage', { text: JSON.stringify(body) }), 'PutImage');
    expect((await ask(members)).members).toMatchObject(members);
    await expect(ask({ ...members, imageDigest: undefined })).rejects.toMatchObject({
      members: { invalidMembers: [{ member: 'body', expected: expect.stringContaining('imageDigest') }] },
    });
  });

  it.each([false, true])('passes over a byte order mark (in base64: %s)', async (isBase64Encoded) => {
    const text = `\ufeff${whole.text}`;
    const body = isBase64Encoded ? Buffer.from(text).toString('base64') : text;
    const event = { ...proxyEvent('InitiateLayerUpload', whole), body, isBase64Encoded };
    expect((await validateEvent(event, 'InitiateLayerUpload')).members).toEqual({ repositoryName: 'a/b' });
  });

  it.each([
    [['bytes 0-9/*', 'bytes 10-19/*'], true],
    [['bytes 0-9/*', 'bytes 0-9/*'], false],
  ])('takes a header that comes twice where it says one thing: %j', async (values, isRefused) => {
    const event = proxyEvent('UploadLayerPart', raw(10, values.at(-1)));
    const multiValueHeaders = { ...event.multiValueHeaders, 'content-range': values };
    const validated = validateEvent({ ...event, multiValueHeaders }, 'UploadLayerPart');
    await (isRefused
      ? expect(validated).rejects.toMatchObject({
          members: { invalidMembers: [{ member: 'Content-Range' }] },
        })
      : expect(validated).resolves.toMatchObject({ members: { partFirstByte: 0 } }));
  });

  it('reads a body in base64 as the UTF-8 that it is', async () => {
    const event = {
      ...proxyEvent('InitiateLayerUpload', whole),
      body: Buffer.from(whole.text).toString('base64'),
      isBase64Encoded: true,
    };
    const { members } = await validateEvent(event, 'InitiateLayerUpload');
    expect(members).toEqual({ repositoryName: 'a/b' });
  });
});

describe('validate, of members that a front in this process has found,', () => {
  const part = { repositoryName: 'a/b', uploadId, partFirstByte: 0, partLastByte: 2 };
  const given = (members: Readonly<Record<string, unknown>>) =>
    validate({
      operation: 'UploadLayerPart',
      registry: 'ecr',
      readMembers: async () => members,
      refusesUnknownMembers: true,
    });

  it('takes the bytes of a part as they are', async () => {
    const layerPartBlob = new Uint8Array(3);
    expect((await given({ ...part, layerPartBlob })).members.layerPartBlob).toBe(layerPartBlob);
  });

  it.each<[string, object, string]>([
    ['half a character', { uploadId: '\ud800' }, 'uploadId'],
    ['a member that the operation does not have', { imageTag: '1.0' }, 'imageTag'],
  ])('refuses %s', async (_, other, member) => {
    const members = { ...part, layerPartBlob: new Uint8Array(3), ...other };
    await expect(given(members)).rejects.toMatchObject({ members: { invalidMembers: [{ member }] } });
  });
});

describe('validate', () => {
  const asked = <Name extends OperationName>(
    operation: Name,
    members: Readonly<Record<string, unknown>>,
    more: Partial<Parameters<typeof validate<Name>>[0]> = {},
  ) =>
    validate<Name>({
      ...{ operation, registry: 'ecr', refusesUnknownMembers: true, readMembers: () => members },
      ...more,
    });
  const faults = async (asking: Promise<unknown>) => {
    const failure: unknown = await asking.catch((error: unknown) => error);
    return failure instanceof ProxyError ? failure.members.invalidMembers : failure;
  };
  const unknown = 'nothing: the operation has no such member';

  it('hands on how the call came: whether again, and how its parts are sent', async () => {
    const members = { repositoryName: 'a/b' };
    expect(await asked('InitiateLayerUpload', members)).toEqual({
      ...{ operation: 'InitiateLayerUpload', registry: 'ecr', isRepeated: false, members },
    });
    const more = { isRepeated: true, sending: 'direct' } as const;
    expect(await asked('InitiateLayerUpload', members, more)).toMatchObject(more);
  });

  it('reads nothing of an operation that the registry does not have', async () => {
    const readMembers = async (): Promise<never> => {
      throw new Error('read');
    };
    await expect(asked('ListImages', {}, { registry: 'ecr-public', readMembers })).rejects.toMatchObject({
      code: 'UnsupportedCommandException',
      message: 'Amazon ECR Public’s API has no ListImages.',
    });
  });

  it.each<[object, string[]]>([
    [{ x: 1 }, ['x']],
    [{ imageIds: [{ imageTag: 'v1', x: 1 }, { y: 1 }] }, ['imageIds.0.x', 'imageIds.1.y']],
    [{ imageIds: [{ imageTag: 'v1' }], 'a token': 1 }, ['(another member)']],
    [{ imageIds: [{ 'a token': 1, imageTag: 'v1' }] }, ['imageIds.0.(another member)']],
    [{ imageIds: [{ imageTag: 'v1' }], constructor: 1 }, ['constructor']],
  ])('names a member that the operation does not have, and its place: %j', async (members, names) => {
    const all = { repositoryName: 'a/b', imageIds: [{ imageTag: 'v1' }], ...members };
    expect(await faults(asked('BatchGetImage', all))).toEqual(
      names.map((member) => ({ member, expected: unknown })),
    );
    expect(await asked('BatchGetImage', all, { refusesUnknownMembers: false })).toMatchObject({
      members: { repositoryName: 'a/b' },
    });
  });

  it.each<[object, string]>([
    [{ subjectId: { imageDigest: digest, x: 1 } }, 'subjectId.x'],
    [{ filter: { artifactTypes: ['a/b'], x: 1 } }, 'filter.x'],
  ])('looks into members of members: %j', async (members, member) => {
    const all = { repositoryName: 'a/b', subjectId: { imageDigest: digest }, ...members };
    expect(await faults(asked('ListImageReferrers', all))).toEqual([{ member, expected: unknown }]);
  });

  it.each<[object, string]>([
    [{ subjectId: 'abc' }, 'subjectId'],
    [{ subjectId: null }, 'subjectId'],
    [{ subjectId: 7 }, 'subjectId'],
    [{ subjectId: { imageDigest: digest }, filter: 'x' }, 'filter'],
  ])('looks for none in what is no object: %j', async (members, member) => {
    expect(await faults(asked('ListImageReferrers', { repositoryName: 'a/b', ...members }))).toMatchObject([
      { member },
    ]);
  });

  it.each([[[null]], [['v1']], [[7]]])(
    'looks for none in an element that is no object: %j',
    async (imageIds) => {
      expect(await faults(asked('BatchGetImage', { repositoryName: 'a/b', imageIds }))).toMatchObject([
        { member: 'imageIds.0' },
      ]);
    },
  );

  it('names each member once, however much is wrong with it', async () => {
    const found = await faults(
      asked('BatchGetImage', { repositoryName: '\ud800', imageIds: null, x: [null] }),
    );
    expect(found).toEqual([
      { member: 'repositoryName', expected: expect.any(String) },
      { member: 'imageIds', expected: expect.any(String) },
      { member: 'x', expected: unknown },
    ]);
  });

  it('says what was expected of each, and how many more there are', async () => {
    const members = Object.fromEntries(Array.from('abcdef', (name) => [name, 1]));
    await expect(asked('InitiateLayerUpload', { repositoryName: 'a/b', ...members })).rejects.toMatchObject({
      message: `${Array.from('abcde', (name) => `${name}: expected ${unknown}`).join('; ')}; and 1 more`,
    });
    const five = Object.fromEntries(Array.from('abcde', (name) => [name, 1]));
    await expect(asked('InitiateLayerUpload', { repositoryName: 'a/b', ...five })).rejects.toMatchObject({
      message: Array.from('abcde', (name) => `${name}: expected ${unknown}`).join('; '),
    });
  });

  it('finds half a character in a member that may be any text', async () => {
    expect(await faults(asked('PutImage', { repositoryName: 'a/b', imageManifest: '\ud800' }))).toEqual([
      { member: 'imageManifest', expected: 'well-formed Unicode' },
    ]);
  });

  it.each([
    ['a'.repeat(40), true],
    ['a'.repeat(41), false],
    ['a.b', true],
    [`a.${'b'.repeat(40)}`, true],
    ['a.b.c', false],
    ['a.', false],
    ['.a', false],
    ['1a', false],
    ['a b', false],
    [`a.${'b'.repeat(41)}`, false],
  ])('repeats the name %s of a member only if it may be one: %s', (name, isOne) => {
    expect(memberNameOf(name)).toBe(isOne ? name : '(another member)');
  });
});

// readEventMembers on its own: what an event says of the members of any operation, and what is said of one that says nothing.

import type { APIGatewayProxyEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { maxBodyStructuralCharacters, partSize } from '../../api/limits.ts';
import { operations } from '../../api/operations.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { awsApi } from '../../lambda/gateway/aws-api.ts';
import { type RequestRules, readEventMembers, requestRules } from '../../lambda/gateway/event-members.ts';
import { resourceApi } from '../../lambda/gateway/resource-api.ts';
import { proxyEvent } from '../support/proxy-event.ts';

const json = 'application/json';
const awsJson = 'application/x-amz-json-1.1';
const octetStream = 'application/octet-stream';

const rules = (more: Partial<RequestRules> = {}): RequestRules => ({
  contentTypes: [json, octetStream],
  maxBytes: 1_000,
  shape: { name: z.string(), names: z.array(z.string()), filter: z.object({ size: z.number() }) },
  refusesUnknownMembers: true,
  ...more,
});

type Members = Partial<APIGatewayProxyEvent>;

const plain: APIGatewayProxyEvent = {
  ...proxyEvent('InitiateLayerUpload', {}),
  ...{ body: null, isBase64Encoded: false, headers: {}, multiValueHeaders: {} },
  ...{ pathParameters: null, queryStringParameters: null, multiValueQueryStringParameters: null },
};

function typed(type: string, more: Record<string, string> = {}): Members {
  const headers = { 'content-type': type, ...more };
  const multiValueHeaders = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, [value]]),
  );
  return { headers, multiValueHeaders };
}

const text = (body: string): Members => ({ ...typed(json), body });
const base64 = (body: string | Uint8Array): Members => ({
  ...typed(json),
  body: Buffer.from(body).toString('base64'),
  isBase64Encoded: true,
});
const raw = (bytes: string, contentRange?: string): Members => ({
  ...typed(octetStream, contentRange === undefined ? {} : { 'content-range': contentRange }),
  body: Buffer.from(bytes).toString('base64'),
  isBase64Encoded: true,
});

const read = (members: Members, more?: Partial<RequestRules>) =>
  readEventMembers({ ...plain, ...members }, rules(more));

/** What an event is refused with. */
function faultsOf(members: Members, more?: Partial<RequestRules>) {
  try {
    read(members, more);
  } catch (error) {
    if (error instanceof ProxyError) {
      const { code, message } = error;
      return code === 'InvalidParameterException' ? error.members.invalidMembers : { code, message };
    }
    throw error;
  }
  return 'nothing';
}

const body = (expected: string) => [{ member: 'body', expected }];

describe('the size of a body', () => {
  it.each<[string, (characters: number) => Members, number]>([
    ['text', (characters) => text(`{"a":"${'x'.repeat(characters)}"}`), 12],
    ['text, in bytes of UTF-8', (characters) => text(`{"a":"éé${'x'.repeat(characters)}"}`), 8],
    ['what base64 says', (characters) => base64(`{"a":"${'x'.repeat(characters)}"}`), 12],
  ])('is that of %s', (_, event, characters) => {
    expect(faultsOf(event(characters), { maxBytes: 20 })).toBe('nothing');
    expect(faultsOf(event(characters + 1), { maxBytes: 20 })).toEqual(body('20 bytes at most'));
  });

  it('is none where there is no body', () => {
    expect(faultsOf(typed(json), { maxBytes: 0 })).toEqual(body('a JSON object'));
    expect(faultsOf({ ...typed(json), isBase64Encoded: true }, { maxBytes: 0 })).toEqual(
      body('a JSON object'),
    );
  });

  it('and how much there is in it come before what it says', () => {
    const list = (elements: number) => text(`{"a":[${'1,'.repeat(elements - 1)}1]}`);
    const bounds = { maxBytes: 10_000 };
    expect(faultsOf(list(maxBodyStructuralCharacters - 4), bounds)).toBe('nothing');
    expect(faultsOf(list(maxBodyStructuralCharacters - 3), bounds)).toEqual(
      body(`JSON of ${maxBodyStructuralCharacters} structural characters at most`),
    );
    expect(faultsOf(text('['.repeat(33)))).toEqual(body('JSON nested no deeper than 32'));
  });
});

describe('the text of a body', () => {
  const invalidUtf8 = (imageDigest: string) =>
    Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from(`"${imageDigest}}`)]);

  it('is UTF-8, whatever else the request has', () => {
    expect(faultsOf(base64(invalidUtf8('')))).toEqual(body('UTF-8'));
    expect(faultsOf(base64(invalidUtf8(',"imageDigest":"sha256:0"')))).toEqual(body('UTF-8'));
  });

  it('has no U+FFFD, which stands for bytes that were not, unless a digest says that it is unaltered', () => {
    const expected = body('UTF-8; and where a manifest contains U+FFFD, its imageDigest as well');
    for (const event of [text, base64]) {
      expect(faultsOf(event('{"a":"\uFFFD"}'))).toEqual(expected);
      expect(faultsOf(event('{"a":"\uFFFD","imageDigest":"x"}'))).toBe('nothing');
    }
  });

  it('may begin with one byte order mark', () => {
    for (const event of [text, base64]) {
      expect(read(event('\uFEFF{"a":1}'))).toEqual({ a: 1 });
      expect(faultsOf(event('\uFEFF\uFEFF{"a":1}'))).toEqual(body('a JSON object'));
    }
  });

  it('is read alike for both APIs', () => {
    const event = { ...text('{"a":1}'), ...typed(awsJson) };
    expect(read(event, { contentTypes: [awsJson] })).toEqual({ a: 1 });
  });
});

describe('a member that is null', () => {
  it('is absent, however deep it lies', () => {
    const given = '{"a":null,"b":{"c":null,"d":{"e":null,"f":0}},"g":[{"h":null,"i":"x"}],"j":false}';
    expect(read(text(given))).toStrictEqual({
      ...{ a: undefined, b: { c: undefined, d: { e: undefined, f: 0 } } },
      ...{ g: [{ h: undefined, i: 'x' }], j: false },
    });
  });

  it('is none of a list, whose elements keep their places', () => {
    expect(read(text('{"a":[null,1,[null,"x"]]}'))).toStrictEqual({ a: [null, 1, [null, 'x']] });
  });
});

describe('the content type', () => {
  const refused = (message: string) => ({ code: 'UnsupportedMediaTypeException', message });

  it.each([
    'application/json',
    'APPLICATION/JSON',
    'application/json;charset=utf-8',
    ' application/json ; a=b',
  ])('may be written %j', (type) => {
    expect(read({ ...text('{"a":1}'), ...typed(type) })).toEqual({ a: 1 });
  });

  it.each([undefined, '', 'text/plain', 'application/jsonx', 'json', awsJson])(
    'may not be %j where the operation takes others, which are named',
    (type) => {
      const headers = type === undefined ? {} : typed(type);
      expect(faultsOf({ ...text('{"a":1}'), headers: {}, ...headers })).toEqual(
        refused(`Send Content-Type: ${json} or ${octetStream}.`),
      );
    },
  );

  it('of bytes is in lower case, or they have come as text', () => {
    const event = { ...typed('Application/Octet-Stream', { 'content-range': 'bytes 0-0/*' }), body: 'x' };
    expect(faultsOf(event)).toEqual(
      refused(
        `Send Content-Type: ${octetStream}, in lower case: otherwise the bytes do not arrive as they are.`,
      ),
    );
    expect(faultsOf({ ...event, body: null })).toEqual(body('the bytes of the part'));
  });

  it('is not looked at where an operation has no body', () => {
    const event = {
      ...text('{"a":1}'),
      ...typed('text/plain'),
      multiValueQueryStringParameters: { name: ['x'] },
    };
    expect(read(event, { contentTypes: [] })).toEqual({ name: 'x' });
  });
});

describe('the positions of a raw part', () => {
  it.each<[string, number, number]>([
    ['bytes 0-2/*', 0, 2],
    ['bytes 5-5/6', 5, 5],
    ['BYTES 10-12/13', 10, 12],
    ['bytes 123456789012345-123456789012346/999999999999999', 123_456_789_012_345, 123_456_789_012_346],
  ])('are those of Content-Range: %s', (contentRange, partFirstByte, partLastByte) => {
    expect(read(raw('abc', contentRange))).toEqual({
      ...{ partFirstByte, partLastByte },
      layerPartBlob: Buffer.from('abc'),
    });
  });

  const expected = [
    {
      member: 'Content-Range',
      expected: `once bytes FIRST-LAST/*, such as bytes 0-${partSize - 1}/*, or with a length beyond LAST`,
    },
  ];

  it.each([
    undefined,
    '',
    'bytes',
    'bytes */*',
    'bytes -2/*',
    'bytes 0-/*',
    'bytes 0-2/',
    'bytes 0-2',
    'bytes 0-2/2',
    'bytes 0-2/0',
    'bytes 2-1/*',
    'bytes 2-1/9',
    'xbytes 0-2/*',
    'bytes 0-2/*x',
    'bytes 0-2/3x',
    'bytes  0-2/*',
    'bytes=0-2/*',
    'bytes a-2/*',
    'bytes 0-b/*',
    'bytes 0-2/c',
    'bytes 1234567890123456-1234567890123456/*',
    'bytes 0-1234567890123456/*',
    'bytes 0-2/1234567890123456',
    'bytes 0.0-2/*',
  ])('are none of %j', (contentRange) => {
    expect(faultsOf(raw('abc', contentRange))).toEqual(expected);
  });

  it('are not there without bytes', () => {
    expect(faultsOf(raw('', 'bytes 0-2/*'))).toEqual(body('the bytes of the part'));
    expect(faultsOf({ ...raw('', 'bytes 0-2/*'), body: null })).toEqual(body('the bytes of the part'));
    expect(faultsOf(raw(''))).toEqual([...body('the bytes of the part'), ...expected]);
  });

  it.each<[string, Members, unknown]>([
    ['twice the same', { multiValueHeaders: { 'content-range': ['bytes 0-2/*', 'bytes 0-2/*'] } }, 'nothing'],
    ['two of them', { multiValueHeaders: { 'content-range': ['bytes 0-2/*', 'bytes 0-2/3'] } }, expected],
    ['none', { multiValueHeaders: { 'content-range': [] } }, expected],
    ['its single value', { multiValueHeaders: {} }, 'nothing'],
    ['its single value alone', { multiValueHeaders: JSON.parse('null') }, 'nothing'],
  ])('are those of a header that is there as %s', (_, more, faults) => {
    expect(faultsOf({ ...raw('abc', 'bytes 0-2/*'), ...more })).toEqual(faults);
  });
});

describe('text that is not well-formed', () => {
  const expected = 'well-formed Unicode';
  const half = '\ud800';

  it.each<[string, Members, string]>([
    ['a header', { headers: { accept: half } }, 'accept'],
    ['a header’s name', { headers: { [half]: 'x' } }, '(another member)'],
    ['the path', { pathParameters: { uploadId: half } }, 'uploadId'],
    ['the first in the query', { multiValueQueryStringParameters: { name: [half, 'x'] } }, 'name'],
    ['the last in the query', { multiValueQueryStringParameters: { name: ['x', half] } }, 'name'],
  ])('is refused in %s', (_, more, member) => {
    expect(faultsOf(more, { contentTypes: [] })).toEqual([{ member, expected }]);
  });

  it('is none where a header has no value', () => {
    expect(faultsOf({ headers: { accept: undefined } }, { contentTypes: [] })).toBe('nothing');
  });
});

describe('the query', () => {
  const query = (multiValueQueryStringParameters: Record<string, string[]>): Members => ({
    multiValueQueryStringParameters,
  });

  it('has the members of an operation without a body', () => {
    expect(
      read(query({ name: ['x'], names: ['a', 'b'], 'filter.size': ['7'] }), { contentTypes: [] }),
    ).toEqual({
      ...{ name: 'x', names: ['a', 'b'], filter: { size: 7 } },
    });
  });

  it('beside JSON is refused, by an API that refuses what it does not know', () => {
    const event = { ...text('{"a":1}'), ...query({ name: ['x'], 'a token': [] }) };
    const expected = 'nothing in the query: the members are in the body';
    expect(faultsOf(event)).toEqual([
      { member: 'name', expected },
      { member: '(another member)', expected },
    ]);
    expect(read(event, { refusesUnknownMembers: false })).toStrictEqual({ a: 1 });
  });

  it('names nothing of a body: a dot in a name of JSON is part of it', () => {
    expect(read(text('{"filter.size":7}'))).toEqual({ 'filter.size': 7 });
  });
});

describe('a member that is given twice', () => {
  const expected = 'the same value wherever it is given';
  const path = (pathParameters: Record<string, string>): Members => ({ pathParameters });

  it('says the same both times', () => {
    expect(read({ ...text('{"name":"x"}'), ...path({ name: 'x' }) })).toEqual({ name: 'x' });
    expect(faultsOf({ ...text('{"name":"x"}'), ...path({ name: 'y' }) })).toEqual([
      { member: 'name', expected },
    ]);
    const twice = (values: string[]): Members => ({ multiValueQueryStringParameters: { name: values } });
    expect(read(twice(['x', 'x']), { contentTypes: [] })).toEqual({ name: 'x' });
    expect(faultsOf(twice(['x', 'y']), { contentTypes: [] })).toEqual([{ member: 'name', expected }]);
    expect(faultsOf({ ...twice(['x']), ...path({ name: 'y' }) }, { contentTypes: [] })).toEqual([
      { member: 'name', expected },
    ]);
  });

  it('is said once where it is null, or nowhere else', () => {
    expect(read({ ...text('{"name":null}'), ...path({ name: 'y' }) })).toEqual({ name: 'y' });
    expect(read({ ...text('{"a":1}'), ...path({ name: 'y' }) })).toEqual({ a: 1, name: 'y' });
  });

  it('is a member of its own, whatever its name', () => {
    const event = { ...text('{"a":1}'), pathParameters: JSON.parse('{"__proto__":"x"}') };
    expect(Object.entries(read(event))).toEqual([
      ['a', 1],
      ['__proto__', 'x'],
    ]);
  });
});

describe('what an operation accepts', () => {
  it.each([
    [resourceApi('UploadLayerPart'), [json, octetStream], true],
    [awsApi(['ecr']), [awsJson], false],
  ] as const)('is said by its row and by the API', (api, contentTypes, refusesUnknownMembers) => {
    const { shape, ...others } = requestRules({ operation: 'UploadLayerPart', registry: 'ecr' }, api);
    expect(others).toEqual({
      ...{ contentTypes, refusesUnknownMembers },
      maxBytes: operations.UploadLayerPart.maxBodyBytes,
    });
    expect(Object.keys(shape)).toEqual(Object.keys(operations.UploadLayerPart.input('ecr').shape));
  });
});

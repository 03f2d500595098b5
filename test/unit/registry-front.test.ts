// The registry's front, piece by piece: names, ranges, credentials, slots and bounds, and what is told to bytes that are no request.

import type { IncomingHttpHeaders } from 'node:http';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import { ProxyError } from '../../api/proxy-error.ts';
import { defaultBounds } from '../../registry/front/bounds.ts';
import { contentRangeOf, lengthOf, ofLength } from '../../registry/front/content-range.ts';
import { secretOf } from '../../registry/front/credentials.ts';
import { ManifestMemory } from '../../registry/front/manifest-memory.ts';
import {
  isDigest,
  isStorable,
  isTag,
  repositoryNameOf,
  storableDigestOf,
  tagOf,
} from '../../registry/front/names.ts';
import {
  busy,
  isMeant,
  isRefused,
  OciError,
  ociCodeOf,
  ociErrorOf,
} from '../../registry/front/oci-errors.ts';
import { healthRoute } from '../../registry/front/other-routes.ts';
import { Taken } from '../../registry/front/taken.ts';
import { refuseUnreadable } from '../../registry/front/unreadable.ts';
import { uploadPlaceOf, whereToGoOn } from '../../registry/front/upload-place.ts';
import { UploadSlots } from '../../registry/front/upload-slots.ts';
import { PortError } from '../../registry/port.ts';

function refusal(run: () => unknown): OciError {
  try {
    run();
  } catch (error) {
    if (error instanceof OciError) {
      return error;
    }
    throw error;
  }
  throw new Error('not refused');
}

describe('a repository’s name', () => {
  it.each(['aa', 'team-a/app', 'a'.repeat(256), 'a__b/c.d'])('may be %s', (name) => {
    expect(repositoryNameOf(name, 'ecr')).toBe(name);
  });

  it.each(['a', '', 'a'.repeat(257), 'Team/app', 'a//b', '/a', 'a/', 'a\n', '../a'])(
    'may not be %j',
    (name) => {
      expect(refusal(() => repositoryNameOf(name, 'ecr'))).toMatchObject({
        ...{ code: 'NAME_INVALID', status: 400 },
        message: `${name} is no name of a repository in ECR, such as team-a/app`,
      });
    },
  );

  it('is as short as the registry wants it', () => {
    expect(repositoryNameOf('a'.repeat(205), 'ecr-public')).toHaveLength(205);
    expect(refusal(() => repositoryNameOf('a'.repeat(206), 'ecr-public')).code).toBe('NAME_INVALID');
  });
});

describe('a tag', () => {
  it.each(['a', 'A', '_', '0', 'v1.2-3_4', 'x'.repeat(128)])('may be %s', (tag) => {
    expect(tagOf(tag)).toBe(tag);
    expect(isTag(tag)).toBe(true);
  });

  it.each(['', '.a', '-a', 'a b', 'a/b', 'a:b', 'x'.repeat(129), 'a\n', 'ä'])('may not be %j', (tag) => {
    expect(isTag(tag)).toBe(false);
    expect(refusal(() => tagOf(tag))).toMatchObject({
      code: 'TAG_INVALID',
      message:
        'a tag has at most 128 letters, digits, underscores, dots and hyphens, and begins with none of the last two',
    });
  });
});

describe('a digest', () => {
  const sha256 = `sha256:${'a1'.repeat(32)}`;
  const empty = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

  it('is one that ECR can store', () => {
    expect(storableDigestOf(sha256)).toBe(sha256);
    expect(isStorable(sha256)).toBe(true);
    expect(isDigest(sha256)).toBe(true);
    expect(isDigest('1.0')).toBe(false);
  });

  const noForm = 'the digest is not of the form sha256:<64 hexadecimal digits>';
  const other = (algorithm: string) =>
    `ECR stores under SHA-256 digests alone, and this one is of ${algorithm}: push it with its SHA-256`;

  it.each<[string | null, string, string]>([
    [null, 'DIGEST_INVALID', noForm],
    ['', 'DIGEST_INVALID', noForm],
    ['sha256', 'DIGEST_INVALID', noForm],
    ['sha256:', 'DIGEST_INVALID', noForm],
    [':a', 'DIGEST_INVALID', noForm],
    ['sha256:a', 'DIGEST_INVALID', noForm],
    [`${sha256}a`, 'DIGEST_INVALID', noForm],
    [sha256.slice(0, -1), 'DIGEST_INVALID', noForm],
    [sha256.toUpperCase(), 'DIGEST_INVALID', noForm],
    [`x${sha256}`, 'UNSUPPORTED', other('xsha256')],
    [`${sha256}\n`, 'DIGEST_INVALID', noForm],
    [`sha256:${'A1'.repeat(32)}`, 'DIGEST_INVALID', noForm],
    [`sha512:${'0'.repeat(128)}`, 'UNSUPPORTED', other('sha512')],
    [
      'multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8',
      'UNSUPPORTED',
      other('multihash+base58'),
    ],
    ['a+b.c_d-e:=-_', 'UNSUPPORTED', other('a+b.c_d-e')],
    ['a++b:c', 'DIGEST_INVALID', noForm],
    [`a:${'b'.repeat(1_000)}`, 'UNSUPPORTED', other('a')],
    [`a:${'b'.repeat(1_001)}`, 'DIGEST_INVALID', noForm],
    [empty, 'UNSUPPORTED', 'ECR stores no layer without bytes'],
  ])('%s is refused', (digest, code, message) => {
    expect(refusal(() => storableDigestOf(digest))).toMatchObject({ code, message, status: 400 });
    expect(isStorable(digest ?? '')).toBe(false);
  });
});

describe('the length of a body', () => {
  it.each<[IncomingHttpHeaders, number | undefined]>([
    [{}, 0],
    [{ 'content-length': '7' }, 7],
    [{ 'transfer-encoding': 'chunked' }, undefined],
    [{ 'transfer-encoding': 'chunked', 'content-length': '7' }, undefined],
  ])('of %j is %s', (headers, length) => {
    expect(lengthOf(headers)).toBe(length);
  });

  async function* chunks() {
    yield Buffer.from('ab');
    yield Buffer.from('cd');
  }
  const read = async (length: number) => {
    let all = '';
    for await (const chunk of ofLength(length, chunks())) {
      all += Buffer.from(chunk).toString();
    }
    return all;
  };

  it('is the one of its range, or it ends with a refusal', async () => {
    expect(await read(4)).toBe('abcd');
    await expect(read(3)).rejects.toMatchObject({
      code: 'SIZE_INVALID',
      message: 'the body has more bytes than the 3 of its Content-Range',
    });
    await expect(read(5)).rejects.toMatchObject({
      code: 'SIZE_INVALID',
      message: 'the body has 4 bytes, and Content-Range says 5',
    });
  });
});

describe('a Content-Range', () => {
  const of = (range: string, more: IncomingHttpHeaders = { 'transfer-encoding': 'chunked' }) =>
    contentRangeOf({ 'content-range': range, ...more });

  it.each([
    ['0-3', 0, 4],
    ['3-6', 3, 4],
    ['5-4', 5, 0],
    ['10-10', 10, 1],
    ['bytes 3-6/*', 3, 4],
    ['bytes=3-6', 3, 4],
    ['bytes 3-6/100', 3, 4],
    ['3-6/10', 3, 4],
    [`0-${'9'.repeat(15)}`, 0, 10 ** 15],
  ])('%s is of a first byte and a length', (range, first, length) => {
    expect(of(range)).toEqual({ first, length });
  });

  it.each([
    '',
    'x',
    '5-3',
    '-3',
    '3-',
    '3',
    'a3-6',
    '3-6a',
    '3-6/',
    '3-6/x',
    'bytes3-6',
    'bytes  3-6',
    `0-${'9'.repeat(16)}`,
    `${'0'.repeat(16)}-1`,
    '3-6/1-2',
    `3-6/${'9'.repeat(16)}`,
  ])('%j is none', (range) => {
    expect(refusal(() => of(range))).toMatchObject({
      code: 'BLOB_UPLOAD_INVALID',
      message: 'Content-Range is not <first byte>-<last byte>',
    });
  });

  it('may be left out', () => {
    expect(contentRangeOf({ 'content-length': '7' })).toBeUndefined();
  });

  it('is held against the length of the body', () => {
    expect(of('0-3', { 'content-length': '4' })).toEqual({ first: 0, length: 4 });
    expect(refusal(() => of('0-3', { 'content-length': '5' }))).toMatchObject({
      ...{ code: 'SIZE_INVALID', status: 400 },
      message: 'the body has 5 bytes, and Content-Range says 4',
    });
    expect(refusal(() => of('0-3', {})).message).toBe('the body has 0 bytes, and Content-Range says 4');
  });
});

describe('the secret of a request', () => {
  const base64 = (one: string) => Buffer.from(one).toString('base64');
  function secret(...authorization: string[]) {
    const request = new IncomingMessage(new Socket());
    if (authorization.length > 0) {
      request.headersDistinct.authorization = authorization;
    }
    return secretOf(request);
  }

  it('is a password or a token, or there is none', () => {
    expect(secret()).toBeUndefined();
    expect(secret(`Basic ${base64('any:s')}`)).toBe('s');
    expect(secret('Bearer t')).toBe('t');
  });

  it.each([
    [['']],
    [['Basic']],
    [[`Basic ${base64('any:')}`]],
    [['Digest x']],
    [['Bearer a', 'Bearer b']],
    [['Bearer a', 'Bearer a']],
  ])('is refused where it cannot be read: %j', (authorization) => {
    expect(refusal(() => secret(...authorization))).toMatchObject({
      ...{ code: 'UNAUTHORIZED', status: 401 },
      message:
        'the Authorization header is neither Basic with a user and a password, nor Bearer with a token',
    });
  });
});

describe('the slots of uploads', () => {
  const open = () => new UploadSlots({ uploads: 3, uploadsPerClient: 2 });
  const forever = () => new Promise<never>(() => {});

  it('are so many for a client, and so many in all', async () => {
    const slots = open();
    void slots.hold('a', forever);
    slots.assertFree('a');
    void slots.hold('a', forever);
    expect(refusal(() => slots.assertFree('a'))).toMatchObject({
      ...{ code: 'UNAVAILABLE', status: 503, headers: { 'retry-after': 5 } },
      message: '2 uploads of this client are under way: try again when some have ended',
    });
    await expect(slots.hold('a', async () => 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(slots.size).toBe(2);
    void slots.hold('b', forever);
    expect(slots.size).toBe(3);
    expect(refusal(() => slots.assertFree('c')).message).toBe(
      '3 uploads are under way here: try again when some have ended',
    );
  });

  it('are free again when the work has ended, well or badly', async () => {
    const slots = open();
    for (let count = 0; count < 5; count += 1) {
      expect(await slots.hold('a', async () => slots.size)).toBe(1);
      await expect(slots.hold('a', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    }
    const others = slots.hold('a', async () => {});
    await slots.hold('a', async () => {});
    await others;
    expect(slots.size).toBe(0);
  });
});

describe('a slot whose work goes on after its answer', () => {
  it('is free when that is over', async () => {
    const slots = new UploadSlots({ uploads: 1, uploadsPerClient: 1 });
    const { promise: goesOn, resolve } = Promise.withResolvers<void>();
    const late = new PortError('ServiceUnavailableException', 'later', { goesOn });
    await expect(slots.hold('a', () => Promise.reject(late))).rejects.toBe(late);
    expect(slots.size).toBe(1);
    resolve();
    await goesOn;
    expect(slots.size).toBe(0);
  });
});

describe('what is taken', () => {
  it('is counted by client and in all, and a client who has nothing more is forgotten', () => {
    const forgotten = vi.spyOn(Map.prototype, 'delete');
    const taken = new Taken();
    taken.add('a', 3);
    taken.add('b', 4);
    taken.add('a', -1);
    expect([taken.by('a'), taken.by('b'), taken.by('c'), taken.all]).toEqual([2, 4, 0, 6]);
    expect(forgotten).not.toHaveBeenCalled();
    taken.add('a', -2);
    expect([taken.by('a'), taken.by('b'), taken.all]).toEqual([0, 4, 4]);
    expect(forgotten.mock.calls).toEqual([['a']]);
    forgotten.mockRestore();
  });

  it('of manifests is bounded by bytes, of one client and in all', () => {
    const memory = new ManifestMemory({ manifestBytes: 10, manifestBytesPerClient: 6 });
    const giveBack = memory.take('a', 6);
    expect(refusal(() => memory.take('a', 1))).toMatchObject({
      ...{ code: 'UNAVAILABLE', headers: { 'retry-after': 5 } },
      message: 'as many manifests as fit are on their way here: try again when some have ended',
    });
    memory.take('b', 4);
    expect(refusal(() => memory.take('c', 1)).code).toBe('UNAVAILABLE');
    giveBack();
    memory.take('c', 6);
    expect(refusal(() => memory.take('a', 1)).code).toBe('UNAVAILABLE');
  });
});

describe('what the front takes, unless it is told otherwise', () => {
  it('is this', () => {
    expect(defaultBounds).toEqual({
      uploadsPerClient: 64,
      uploads: 128,
      manifestBytesPerClient: 25_165_824,
      manifestBytes: 67_108_864,
      idleMs: 120_000,
      headersMs: 60_000,
      keepAliveMs: 72_000,
      headerBytes: 65_536,
      drainedBytes: 268_435_456,
      drainMs: 30_000,
      betweenUploadsMs: 1_000,
    });
  });
});

describe('a path for a load balancer', () => {
  it('is answered, whoever asks', async () => {
    const { path, methods } = healthRoute('/healthz');
    expect([path, Object.keys(methods)]).toEqual(['/healthz', ['GET', 'HEAD']]);
    const request = {
      ...{ requestId: 'r', sourceIp: undefined, headers: {} },
      abortSignal: AbortSignal.any([]),
    };
    for (const answer of Object.values(methods)) {
      expect(await answer(request)).toStrictEqual({ answer: { status: 200, body: {} } });
    }
  });
});

describe('where an upload goes on', () => {
  it.each([
    [0, '0-0'],
    [1, '0-0'],
    [2, '0-1'],
    [10, '0-9'],
  ])('is after %i bytes the range %s', (position, range) => {
    expect(uploadPlaceOf('team/app', { reference: 'abc', position })).toEqual({
      location: '/v2/team/app/blobs/uploads/abc',
      range,
    });
  });

  it.each([
    [0, '0--1'],
    [1, '0-0'],
    [10, '0-9'],
  ])('is after %i bytes the range %s for a client that does not know', (position, range) => {
    expect(whereToGoOn('team/app', { reference: 'abc', position })).toEqual({
      location: '/v2/team/app/blobs/uploads/abc',
      range,
    });
  });
});

describe('an error of OCI’s', () => {
  it('is the row’s, by what was asked for', () => {
    expect(ociCodeOf('AccessDeniedException', 'blob')).toBe('DENIED');
    expect(ociCodeOf('nothing of the table', 'blob')).toBe('UNKNOWN');
    expect(ociCodeOf('LayersNotFoundException', 'blob')).toBe('BLOB_UNKNOWN');
    expect(ociCodeOf('LayersNotFoundException', 'manifest')).toBe('MANIFEST_BLOB_UNKNOWN');
    expect(isRefused(new ProxyError('AccessDeniedException'), 'manifest', ['DENIED'])).toBe(true);
    expect(isRefused(new ProxyError('AccessDeniedException'), 'manifest', ['UNKNOWN'])).toBe(false);
    expect(isRefused(new Error('denied'), 'manifest', ['DENIED'])).toBe(false);
  });

  it('is meant where it is one of those that are named, and a failure is not', () => {
    const denied = new ProxyError('AccessDeniedException');
    expect(isMeant(denied, 'AccessDeniedException')).toBe(true);
    expect(isMeant(denied, 'UnsupportedCommandException', 'AccessDeniedException')).toBe(true);
    expect(isMeant(denied, 'UnsupportedCommandException')).toBe(false);
    expect(isMeant(new ProxyError('LimitExceededException'), 'AccessDeniedException')).toBe(false);
    const other = Object.assign(new Error('denied'), { code: 'AccessDeniedException' });
    expect(isMeant(other, 'AccessDeniedException')).toBe(false);
  });

  it('has the reason, the request’s id, and where to go on', () => {
    const plain = ociErrorOf(new ProxyError('AccessDeniedException', 'no'), 'blob');
    expect(plain).toMatchObject({ name: 'OciError', code: 'DENIED', status: 403, message: 'no' });
    expect(plain.detail).toEqual({ code: 'AccessDeniedException' });
    expect(plain.headers).toStrictEqual({});
    const error = new PortError('ServiceUnavailableException', 'away', {
      ...{ requestId: 'r', retryAfterSeconds: 7, uploadState: { reference: 'abc', position: 4 } },
    });
    expect(ociErrorOf(error, 'blob', 'team/app')).toMatchObject({
      ...{ code: 'RANGE_INVALID', status: 416, message: 'away (request r)', cause: error },
      detail: { code: 'ServiceUnavailableException', requestId: 'r' },
      headers: { 'retry-after': '7', location: '/v2/team/app/blobs/uploads/abc', range: '0-3' },
    });
    expect(ociErrorOf(error, 'blob').headers).toStrictEqual({ 'retry-after': '7' });
    expect(busy('later')).toMatchObject({
      code: 'UNAVAILABLE',
      message: 'later',
      headers: { 'retry-after': 5 },
    });
  });
});

describe('bytes that are no request', () => {
  async function answer(code: string | undefined, isAnswered = false) {
    const socket = new PassThrough();
    refuseUnreadable(
      Object.assign(new Error('unreadable'), code === undefined ? {} : { code }),
      socket,
      isAnswered,
    );
    const written = socket.destroyed ? '' : await text(socket);
    return { written, isDestroyed: socket.destroyed };
  }

  it.each([
    ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large', 'the headers are too long'],
    ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout', 'the headers did not come in time'],
    ['HPE_INVALID_METHOD', '400 Bad Request', 'this is no request of HTTP/1.1'],
    [undefined, '400 Bad Request', 'this is no request of HTTP/1.1'],
  ])('are told what is wrong with them: %s', async (code, status, message) => {
    const body = JSON.stringify({ errors: [{ code: 'UNSUPPORTED', message }] });
    expect((await answer(code)).written).toBe(
      [
        `HTTP/1.1 ${status}`,
        'Connection: close',
        'Content-Type: application/json',
        'X-Content-Type-Options: nosniff',
        `Content-Length: ${body.length}`,
        '',
        body,
      ].join('\r\n'),
    );
  });

  it('on a connection that has a request are told nothing', async () => {
    expect(await answer('HPE_INVALID_METHOD', true)).toEqual({ written: '', isDestroyed: true });
  });

  it('on a connection that is closed end it', () => {
    const socket = new PassThrough();
    socket.end();
    refuseUnreadable(new Error('unreadable'), socket, false);
    expect(socket.destroyed).toBe(true);
  });
});

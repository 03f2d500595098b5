// What each route of the OCI front does with a request that was read, and how its answer is written: no connection.

import { describe, expect, it, vi } from 'vitest';
import { ProxyError } from '../../api/proxy-error.ts';
import { refusal, type WriteOptions, write } from '../../registry/front/answers.ts';
import { defaultBounds } from '../../registry/front/bounds.ts';
import type { Answer, Exchange } from '../../registry/front/exchange.ts';
import { OciError } from '../../registry/front/oci-errors.ts';
import { routes } from '../../registry/front/routes.ts';
import { UploadSlots } from '../../registry/front/upload-slots.ts';
import { PortError, type RegistryPort } from '../../registry/port.ts';
import { digestOf } from '../support/random-bytes.ts';
import { unscriptedPort } from '../support/scripted-port.ts';
import { turns, unconnected } from '../support/unconnected.ts';

const repositoryName = 'team-a/app';
const repository = `/v2/${repositoryName}`;
const digest = digestOf('x');
const sha512 = `sha512:${'0'.repeat(128)}`;
const imageType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';

async function* chunksOf(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    yield Buffer.from(text);
  }
}

/** Asks the handler that the table of routes has for a method and a path. */
async function ask(
  method: string,
  path: string,
  port: Partial<RegistryPort> = {},
  more: Partial<Exchange> = {},
): Promise<Answer> {
  const [pathname = '', query = ''] = path.split('?');
  const route = routes.find(({ pattern }) => pattern.test(pathname));
  const { reference = '' } = route?.pattern.exec(pathname)?.groups ?? {};
  const handler = route?.methods[method];
  if (!handler) {
    throw new Error(`nobody answers ${method} ${path}`);
  }
  return handler({
    port: { ...unscriptedPort, ...port },
    slots: new UploadSlots(defaultBounds),
    isClosing: false,
    warn: () => {},
    holdManifest: () => {},
    repositoryName,
    reference,
    query: new URLSearchParams(query),
    headers: {},
    body: chunksOf(),
    ...more,
  });
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => {
      throw new Error('it was not refused');
    },
    (error: unknown) => error,
  );
}

/** A refusal as the front words it. */
async function refusalOf(work: Promise<unknown>) {
  const error = await failureOf(work);
  if (!(error instanceof OciError)) {
    throw error;
  }
  const { code, message, status, cause, detail } = error;
  return { code, message, status, cause, detail };
}

const refusing = (error: unknown) => async (): Promise<never> => Promise.reject(error);
const denied = new ProxyError('AccessDeniedException', 'the policy says no.');
const away = new ProxyError('ServiceUnavailableException');
const unsupported = new ProxyError('UnsupportedCommandException');
const unknownToken = new ProxyError('UnrecognizedClientException');
const fault = Object.assign(new Error('x is undefined'), { code: 'AccessDeniedException' });

describe('the routes', () => {
  const names = ['aa', 'team-a/app', 'blobs/uploads', 'a/manifests/b'];
  it.each([
    ['/v2', 0],
    ['/v2/', 0],
    ...names.flatMap((name): [string, number][] => [
      [`/v2/${name}/blobs/uploads`, 1],
      [`/v2/${name}/blobs/uploads/`, 1],
      [`/v2/${name}/blobs/uploads/r`, 2],
      [`/v2/${name}/blobs/sha256:a`, 3],
      [`/v2/${name}/manifests/1.0`, 4],
      [`/v2/${name}/tags/list`, 5],
      [`/v2/${name}/referrers/sha256:a`, 6],
    ]),
  ])('know %s', (path, index) => {
    const found = routes.findIndex(({ pattern }) => pattern.test(path));
    expect(found).toBe(index);
    const name = names.find((one) => path.startsWith(`/v2/${one}/`));
    expect(routes[found]?.pattern.exec(path)?.groups?.name).toBe(index === 0 ? undefined : name);
  });

  it.each([
    ...[
      '',
      '/',
      '/v2x',
      '/v2//',
      '/v3/',
      'x/v2/',
      '/v2/_catalog',
      '/v2/aa',
      '/v2//tags/list',
      '/x/v2/aa/tags/list',
    ],
    ...['/v2/aa/blobs', '/v2/aa/blobs/', '/v2/aa/blobs/a/b', '/v2/aa/blobs/uploads/a/b', '/x/v2/aa/blobs/a'],
    ...['/v2/aa/manifests', '/v2/aa/manifests/', '/v2/aa/manifests/a/b', '/x/v2/aa/manifests/a'],
    ...['/v2/aa/tags/list/', '/v2/aa/tags/lists', '/v2/aa/tags', '/v2/aa/referrers/', '/v2/aa/referrers/a/b'],
    ...[
      '/x/v2/aa/referrers/a',
      '/x/v2/aa/blobs/uploads/',
      '/x/v2/aa/blobs/uploads/a',
      '/v2/aa/blobs/uploadsx/',
    ],
  ])('do not know %j', (path) => {
    expect(routes.filter(({ pattern }) => pattern.test(path))).toEqual([]);
  });

  it('do this', () => {
    expect(routes.map(({ subject, methods }) => [subject, Object.keys(methods).join()])).toEqual([
      ['blob', 'GET,HEAD'],
      ['blob', 'POST'],
      ['blob', 'GET,HEAD,PATCH,PUT,DELETE'],
      ['blob', 'GET,HEAD'],
      ['manifest', 'GET,HEAD,PUT'],
      ['manifest', 'GET'],
      ['manifest', 'GET'],
    ]);
  });

  it('welcome whoever is known', async () => {
    for (const method of ['GET', 'HEAD']) {
      expect(await ask(method, '/v2/')).toStrictEqual({ status: 200, body: {} });
    }
  });
});

describe('an upload that is begun', () => {
  const uploads = `${repository}/blobs/uploads/`;
  const begin = async () => ({ reference: 'abc_0', position: 0 });
  const begun = {
    status: 202,
    headers: {
      location: `${uploads}abc_0`,
      range: '0-0',
      'docker-upload-uuid': 'abc_0',
      'oci-chunk-min-length': 1,
    },
  };
  const withBody = { headers: { 'content-length': '1' }, body: chunksOf('x') };

  it('has a place', async () => {
    expect(await ask('POST', uploads, { begin })).toStrictEqual(begun);
  });

  it.each<[string, Partial<Exchange>]>([
    [`${uploads}?digest=${digest}`, {}],
    [`${uploads}?digest=x`, { headers: { 'content-length': '0' } }],
    [`${uploads}?mount=${digest}&from=b`, withBody],
  ])('is no whole blob without a digest and a body: %s', async (path, more) => {
    expect(await ask('POST', path, { begin }, more)).toStrictEqual(begun);
  });

  it('is not begun any more by a server that is stopped', async () => {
    const refused = ask('POST', uploads, { begin }, { isClosing: true });
    expect(await refusalOf(refused)).toMatchObject({
      ...{ code: 'UNAVAILABLE', message: 'this registry is being stopped: try again' },
    });
  });

  it('is not begun where no request could bring its bytes', async () => {
    const slots = new UploadSlots({ uploads: 1, uploadsPerClient: 1 });
    void slots.hold('b', () => new Promise(() => {}));
    expect(await refusalOf(ask('POST', uploads, { begin }, { slots }))).toMatchObject({
      code: 'UNAVAILABLE',
    });
  });

  it.each([{ 'content-length': '1' }, { 'transfer-encoding': 'chunked' }])(
    'and is whole is a blob at once: %j',
    async (headers) => {
      const finish = vi.fn(async () => {});
      const more = { headers, body: chunksOf('x') };
      const answer = await ask('POST', `${uploads}?digest=${digest}`, { begin, finish }, more);
      expect(answer).toStrictEqual({
        ...{ status: 201 },
        headers: { location: `${repository}/blobs/${digest}`, 'docker-content-digest': digest },
      });
      expect(finish).toHaveBeenCalledWith(repositoryName, 'abc_0', digest, expect.anything());
    },
  );

  it('and is whole under no digest is not begun', async () => {
    const refused = ask('POST', `${uploads}?digest=x`, { begin }, withBody);
    expect(await refusalOf(refused)).toMatchObject({ code: 'DIGEST_INVALID' });
  });

  it('and is whole, and fails, is given up', async () => {
    const cancel = vi.fn(async () => {});
    const port = { begin, finish: refusing(denied), cancel };
    expect(await failureOf(ask('POST', `${uploads}?digest=${digest}`, port, withBody))).toBe(denied);
    expect(cancel.mock.calls).toEqual([[repositoryName, 'abc_0']]);
  });
});

describe('an upload that is under way', () => {
  const place = `${repository}/blobs/uploads/abc_3`;
  const state = { reference: 'abc_9', position: 10 };
  const headers = {
    location: `${repository}/blobs/uploads/abc_9`,
    range: '0-9',
    'docker-upload-uuid': 'abc_9',
    'oci-chunk-min-length': 5,
  };

  it('takes bytes, counted while it does', async () => {
    const slots = new UploadSlots(defaultBounds);
    const append = vi.fn(async () => {
      expect(slots.size).toBe(1);
      return state;
    });
    const body = chunksOf('four');
    const answer = await ask('PATCH', place, { append, minChunkBytes: 5 }, { slots, body });
    expect(answer).toStrictEqual({ status: 202, headers });
    expect(append.mock.calls).toEqual([
      [repositoryName, 'abc_3', { first: undefined, length: 0, chunks: body }],
    ]);
    expect(slots.size).toBe(0);
  });

  it.each<[Exchange['headers'], { first: number | undefined; length: number | undefined; held: boolean }]>([
    [{ 'content-length': '4' }, { first: undefined, length: 4, held: false }],
    [{ 'transfer-encoding': 'chunked' }, { first: undefined, length: undefined, held: false }],
    [
      { 'content-length': '4', 'content-range': '3-6' },
      { first: 3, length: 4, held: false },
    ],
    [
      { 'transfer-encoding': 'chunked', 'content-range': '3-6' },
      { first: 3, length: 4, held: true },
    ],
  ])('takes bytes that come as %j', async (sent, { first, length, held }) => {
    const append = vi.fn<RegistryPort['append']>(async () => state);
    const body = chunksOf('four');
    await ask('PATCH', place, { append }, { headers: sent, body });
    const [[, , incoming] = []] = append.mock.calls;
    expect(incoming).toMatchObject({ first, length });
    expect(incoming?.chunks === body).toBe(!held);
  });

  it('takes no bytes of another length than they say', async () => {
    const append: RegistryPort['append'] = async (_name, _reference, { chunks }) => {
      for await (const _ of chunks) {
        // They are read to their end.
      }
      return state;
    };
    const sent = { 'transfer-encoding': 'chunked', 'content-range': '3-7' };
    const refused = ask('PATCH', place, { append }, { headers: sent, body: chunksOf('four') });
    expect(await refusalOf(refused)).toMatchObject({ code: 'SIZE_INVALID' });
  });

  it('is ended under its digest, counted while it is', async () => {
    const slots = new UploadSlots(defaultBounds);
    const finish = vi.fn(async () => {
      expect(slots.size).toBe(1);
    });
    expect(await ask('PUT', `${place}?digest=${digest}`, { finish }, { slots })).toStrictEqual({
      ...{ status: 201 },
      headers: { location: `${repository}/blobs/${digest}`, 'docker-content-digest': digest },
    });
    expect(finish).toHaveBeenCalledWith(
      repositoryName,
      'abc_3',
      digest,
      expect.objectContaining({ length: 0 }),
    );
  });

  it('is not ended under what no blob can have', async () => {
    expect(await refusalOf(ask('PUT', place))).toMatchObject({ code: 'DIGEST_INVALID' });
    expect(await refusalOf(ask('PUT', `${place}?digest=${sha512}`))).toMatchObject({ code: 'UNSUPPORTED' });
  });

  it.each(['GET', 'HEAD'])('says how far it is (%s)', async (method) => {
    const status = async () => ({ reference: 'abc_9', position: 0 });
    expect(await ask(method, place, { status, minChunkBytes: 5 })).toStrictEqual({
      ...{ status: 204, headers: { ...headers, range: '0--1' } },
    });
  });

  it('is given up', async () => {
    const cancel = vi.fn(async () => {});
    expect(await ask('DELETE', place, { cancel })).toStrictEqual({ status: 204 });
    expect(cancel.mock.calls).toEqual([[repositoryName, 'abc_3']]);
  });
});

describe('a blob', () => {
  const path = `${repository}/blobs/${digest}`;
  const noLayer = { code: 'BLOB_UNKNOWN', status: 404, message: 'this repository has no such layer' };
  const found = {
    ...{ 'content-type': 'application/octet-stream', 'docker-content-digest': digest, 'content-length': 7 },
  };

  it('is there', async () => {
    const hasBlob = vi.fn(async () => ({ size: 7 }));
    expect(await ask('HEAD', path, { hasBlob })).toStrictEqual({ status: 200, headers: found });
    expect(hasBlob.mock.calls).toEqual([[repositoryName, digest]]);
  });

  it.each<[string, RegistryPort['hasBlob'], unknown]>([
    ['that is not there', async () => undefined, undefined],
    ['of no known size', async () => ({ size: undefined }), undefined],
    ['that may not be asked after', refusing(denied), denied],
  ])('%s is sent again', async (_, hasBlob, cause) => {
    expect(await refusalOf(ask('HEAD', path, { hasBlob }))).toMatchObject({ ...noLayer, cause });
  });

  it.each([unknownToken, away, unsupported, fault])('is none to be sent after %s', async (error) => {
    expect(await failureOf(ask('HEAD', path, { hasBlob: refusing(error) }))).toBe(error);
    expect(await failureOf(ask('GET', path, { getBlob: refusing(error) }))).toBe(error);
  });

  it.each(['HEAD', 'GET'])('that ECR cannot have is not asked for (%s)', async (method) => {
    expect(await refusalOf(ask(method, `${repository}/blobs/${sha512}`))).toMatchObject(noLayer);
  });

  it('is read where it is, or here, or is not there', async () => {
    const url = 'https://bucket.test/x?signature=y';
    const getBlob = vi.fn<RegistryPort['getBlob']>(async () => ({ url }));
    expect(await ask('GET', path, { getBlob })).toStrictEqual({
      ...{ status: 307, headers: { location: url, 'docker-content-digest': digest } },
    });
    expect(getBlob.mock.calls).toEqual([[repositoryName, digest]]);
    const chunks = chunksOf('x');
    const here = ask('GET', path, { getBlob: async () => ({ size: 7, chunks }) });
    expect(await here).toStrictEqual({ status: 200, headers: found, body: chunks });
    expect(await refusalOf(ask('GET', path, { getBlob: async () => undefined }))).toMatchObject(noLayer);
    expect(await failureOf(ask('GET', path, { getBlob: refusing(denied) }))).toBe(denied);
  });
});

describe('a manifest that is put', () => {
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType: imageType });
  const own = digestOf(manifest);
  const taking = (listsReferrers = true) =>
    vi.fn<RegistryPort['putManifest']>(async () => ({ listsReferrers }));

  function put(
    reference: string,
    text: string,
    putManifest: RegistryPort['putManifest'] = taking(),
    more: Partial<Exchange> = {},
  ) {
    const headers = { 'content-length': String(Buffer.byteLength(text)) };
    const body = chunksOf(text.slice(0, 5), text.slice(5));
    return ask('PUT', `${repository}/manifests/${reference}`, { putManifest }, { headers, body, ...more });
  }

  it('by a tag or by its digest has a place', async () => {
    const putManifest = taking();
    const answer = {
      status: 201,
      headers: { location: `${repository}/manifests/${own}`, 'docker-content-digest': own },
    };
    expect(await put('1.0', manifest, putManifest)).toStrictEqual(answer);
    expect(await put(own, manifest, putManifest)).toStrictEqual(answer);
    const image = { digest: own, mediaType: imageType, bytes: Buffer.from(manifest) };
    expect(putManifest.mock.calls).toEqual([
      [repositoryName, { ...image, tag: '1.0' }],
      [repositoryName, { ...image, tag: undefined }],
    ]);
  });

  it.each([
    [`${indexType}; charset=utf-8`, imageType, indexType],
    [` ${indexType} `, imageType, indexType],
    ['', imageType, imageType],
    [' ;a=b', imageType, imageType],
    [undefined, imageType, imageType],
    [undefined, null, undefined],
    [undefined, undefined, undefined],
  ])('as %j, saying %j of itself, is put as %j', async (contentType, mediaType, expected) => {
    const putManifest = taking();
    await put('1.0', JSON.stringify({ mediaType }), putManifest, {
      headers: { 'content-type': contentType, 'content-length': '1' },
    });
    expect(putManifest.mock.calls[0]?.[1].mediaType).toBe(expected);
  });

  it.each([
    [{ subject: { digest } }, true, digest],
    [{ subject: { digest } }, false, undefined],
    [{ subject: { digest: 'x\r\ny: z' } }, true, undefined],
    [{ subject: { digest: sha512 } }, true, undefined],
    [{ subject: null }, true, undefined],
  ])('with %j, where referrers are listed: %s, names the subject %s', async (members, lists, subject) => {
    const { headers } = await put('1.0', JSON.stringify(members), taking(lists));
    expect(headers?.['oci-subject']).toBe(subject);
  });

  it.each<[string, string, string, string]>([
    [digest, manifest, 'DIGEST_INVALID', `the manifest has the digest ${own}`],
    [sha512, manifest, 'UNSUPPORTED', 'ECR stores under SHA-256 digests alone'],
    ['-x', manifest, 'TAG_INVALID', 'a tag has at most 128'],
    ...['x', '[]', '1', '{"subject":1}', '{"subject":{}}', '{"mediaType":1}'].map(
      (text): [string, string, string, string] => [
        ...(['1.0', text, 'MANIFEST_INVALID'] as const),
        'the manifest is not JSON, or its members are not what OCI says',
      ],
    ),
  ])('as %s is refused: %s', async (reference, text, code, message) => {
    const putManifest = taking();
    const refused = await refusalOf(put(reference, text, putManifest));
    expect(refused).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(refused.cause instanceof Error).toBe(code === 'MANIFEST_INVALID');
    expect(putManifest).not.toHaveBeenCalled();
  });

  const tooLarge = { code: 'SIZE_INVALID', message: 'ECR takes manifests of up to 4194304 characters' };

  it('is held in memory by its length, or by the longest there may be', async () => {
    const holdManifest = vi.fn();
    await put('1.0', manifest, taking(), { holdManifest });
    await put('1.0', manifest, taking(), { holdManifest, headers: { 'transfer-encoding': 'chunked' } });
    await put('1.0', manifest, taking(), { holdManifest, headers: { 'content-length': '4194304' } });
    expect(holdManifest.mock.calls).toEqual([[manifest.length], [4_194_304], [4_194_304]]);
    const refused = put('1.0', manifest, taking(), {
      holdManifest,
      headers: { 'content-length': '4194305' },
    });
    expect(await refusalOf(refused)).toMatchObject(tooLarge);
    expect(holdManifest).toHaveBeenCalledTimes(3);
  });

  it('without a length is read no further than it may be long', async () => {
    const text = JSON.stringify({ a: 'x'.repeat(4_194_304 - 8) });
    expect(text.length).toBe(4_194_304);
    const headers = { 'transfer-encoding': 'chunked' };
    expect(await put('1.0', text, taking(), { headers })).toMatchObject({ status: 201 });
    const refused = put('1.0', text, taking(), { headers, body: chunksOf(text, ' ') });
    expect(await refusalOf(refused)).toMatchObject(tooLarge);
  });

  const notThere = new ProxyError('ReferencedImagesNotFoundException', 'some do not exist');
  const cache = (...mediaTypes: (string | null)[]) =>
    JSON.stringify({ manifests: mediaTypes.map((mediaType) => ({ mediaType })) });
  const buildCache = 'application/vnd.buildkit.cacheconfig.v0';

  it('as a build cache whose layers are not there is refused in the same words', async () => {
    const cause = new ProxyError('LayersNotFoundException');
    expect(await refusalOf(put('1.0', cache(buildCache), refusing(cause)))).toMatchObject({
      ...{ code: 'MANIFEST_BLOB_UNKNOWN', detail: { code: 'LayersNotFoundException' }, cause },
    });
  });

  it('as a build cache that lists layers is refused in words that help', async () => {
    expect(await refusalOf(put('1.0', cache(null, buildCache), refusing(notThere)))).toEqual({
      code: 'MANIFEST_BLOB_UNKNOWN',
      status: 400,
      message:
        'ECR takes indexes of images alone, and this one lists the layers of a build cache: add image-manifest=true,oci-mediatypes=true to --cache-to',
      detail: { code: 'ReferencedImagesNotFoundException' },
      cause: notThere,
    });
  });

  it.each<[string, unknown]>([
    [cache(buildCache), denied],
    [cache(imageType), notThere],
    [cache(), notThere],
    [manifest, notThere],
    ['{"manifests":null}', notThere],
    ['{"manifests":[1]}', notThere],
    ['{"manifests":"x"}', notThere],
  ])('as %s is refused as ECR does', async (text, error) => {
    expect(await failureOf(put('1.0', text, refusing(error)))).toBe(error);
  });
});

describe('a manifest that is read', () => {
  const bytes = Buffer.from('{}');
  const read = { mediaType: indexType, digest, bytes };
  const noImage = { code: 'MANIFEST_UNKNOWN', status: 404, message: 'this repository has no such image' };
  const get = (
    reference: string,
    port: Partial<RegistryPort> = {},
    more: Partial<Exchange> = {},
    method = 'GET',
  ) => ask(method, `${repository}/manifests/${reference}`, port, more);

  it.each(['GET', 'HEAD'])('is as it was pushed, and held in memory (%s)', async (method) => {
    const holdManifest = vi.fn();
    const getManifest = vi.fn(async () => read);
    expect(await get('1.0', { getManifest }, { holdManifest }, method)).toStrictEqual({
      status: 200,
      headers: { 'content-type': indexType, 'docker-content-digest': digest },
      body: bytes,
    });
    await get(digest, { getManifest }, {}, method);
    expect(getManifest.mock.calls).toEqual([
      [repositoryName, { tag: '1.0' }],
      [repositoryName, { digest }],
    ]);
    expect(holdManifest.mock.calls).toEqual([[2]]);
  });

  it.each(['', 'x\ny', 'é', '\x1f', '\x7f'])(
    'of the type %j is of none that could be a header',
    async (mediaType) => {
      const { headers } = await get('1.0', { getManifest: async () => ({ ...read, mediaType }) });
      expect(headers?.['content-type']).toBe('application/octet-stream');
    },
  );

  it.each([' ', '~', 'a b'])('of the type %j is of that', async (mediaType) => {
    const { headers } = await get('1.0', { getManifest: async () => ({ ...read, mediaType }) });
    expect(headers?.['content-type']).toBe(mediaType);
  });

  it.each(['GET', 'HEAD'])('and that is not there, or that ECR cannot have, is none (%s)', async (method) => {
    const getManifest = async () => undefined;
    expect(await refusalOf(get('1.0', { getManifest }, {}, method))).toEqual({
      ...{ ...noImage, cause: undefined, detail: undefined },
    });
    for (const reference of [sha512, 'x:y', '-x']) {
      expect(await refusalOf(get(reference, {}, {}, method))).toMatchObject(noImage);
    }
  });

  it.each([denied, unsupported])('by HEAD, as by one who may push alone, is none after %s', async (error) => {
    const getManifest = refusing(error);
    expect(await refusalOf(get('1.0', { getManifest }, {}, 'HEAD'))).toMatchObject({
      ...noImage,
      cause: error,
    });
    expect(await failureOf(get('1.0', { getManifest }))).toBe(error);
  });

  it.each([away, unknownToken, fault])('is no absent one after %s', async (error) => {
    expect(await failureOf(get('1.0', { getManifest: refusing(error) }, {}, 'HEAD'))).toBe(error);
  });
});

describe('the tags of a repository', () => {
  const list = (query = '', tags = ['b', 'a', 'c']) =>
    ask('GET', `${repository}/tags/list${query}`, { listTags: async () => tags });

  it.each<[string, string[], string | undefined]>([
    ['', ['a', 'b', 'c'], undefined],
    ['?last=a', ['b', 'c'], undefined],
    ['?last=', ['a', 'b', 'c'], undefined],
    ['?last=c', [], undefined],
    ['?n=3', ['a', 'b', 'c'], undefined],
    ['?n=0', [], undefined],
    ['?n=2', ['a', 'b'], `<${repository}/tags/list?n=2&last=b>; rel="next"`],
    ['?n=1&last=a', ['b'], `<${repository}/tags/list?n=1&last=b>; rel="next"`],
    ['?n=999999999', ['a', 'b', 'c'], undefined],
  ])('are listed in order, page by page: %s', async (query, tags, link) => {
    expect(await list(query)).toStrictEqual({
      ...{ status: 200, headers: link === undefined ? {} : { link }, body: { name: repositoryName, tags } },
    });
  });

  it('are in the order of their characters', async () => {
    const { body } = await list('', ['b', 'A', '_', '0']);
    expect(body).toMatchObject({ tags: ['0', 'A', '_', 'b'] });
  });

  it('may be none', async () => {
    expect(await list('?n=2', [])).toStrictEqual({
      ...{ status: 200, headers: {}, body: { name: repositoryName, tags: [] } },
    });
  });

  it.each(['', '-1', 'x', '1x', 'x1', '1234567890', '1.5'])('are not listed by %j', async (n) => {
    expect(await refusalOf(list(`?n=${n}`))).toMatchObject({
      ...{ code: 'UNSUPPORTED', status: 400, message: 'n is not a number of tags' },
    });
  });
});

describe('the referrers of a manifest', () => {
  const one = { mediaType: 'm', digest, size: 1, artifactType: 'a' };
  const other = { mediaType: 'm', digest, size: 2 };
  const list = (
    listReferrers: RegistryPort['listReferrers'],
    {
      query = '',
      reference = digest,
      warn = () => {},
    }: { query?: string; reference?: string; warn?: Exchange['warn'] } = {},
  ) => ask('GET', `${repository}/referrers/${reference}${query}`, { listReferrers }, { warn });
  const listed = (manifests: object[], more = {}) => ({
    status: 200,
    headers: { 'content-type': indexType, ...more },
    body: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests })),
  });

  it('are listed, all or those of a type', async () => {
    const listReferrers = vi.fn<RegistryPort['listReferrers']>(async () => [one, other]);
    expect(await list(listReferrers)).toStrictEqual(listed([one, other]));
    expect(await list(listReferrers, { query: '?artifactType=a' })).toStrictEqual(
      listed([one], { 'oci-filters-applied': 'artifactType' }),
    );
    expect(listReferrers.mock.calls).toEqual([
      [repositoryName, digest, undefined],
      [repositoryName, digest, 'a'],
    ]);
  });

  it('are none of a digest that ECR cannot have', async () => {
    const listReferrers = vi.fn(async () => [one]);
    expect(await list(listReferrers, { reference: sha512 })).toStrictEqual(listed([]));
    expect(listReferrers).not.toHaveBeenCalled();
  });

  it('are kept under a tag where ECR keeps none, or cannot be asked', async () => {
    for (const listReferrers of [async () => undefined, refusing(unsupported)]) {
      expect(await refusalOf(list(listReferrers))).toMatchObject({
        ...{ code: 'UNSUPPORTED', status: 404 },
        message: 'this registry lists no referrers: keep them under a tag',
      });
    }
  });

  it.each(['v1.2 says no.', 'v1.2 says no'])('are none for one who may not read: %s', async (detail) => {
    const warn = vi.fn();
    const refuse = refusing(new ProxyError('AccessDeniedException', detail));
    expect(await list(refuse, { warn })).toStrictEqual(listed([]));
    expect(warn.mock.calls).toEqual([['v1.2 says no. The list of referrers is empty for that reason.']]);
  });

  it.each([away, unknownToken, fault])('are not none after %s', async (error) => {
    const warn = vi.fn();
    expect(await failureOf(list(refusing(error), { warn }))).toBe(error);
    expect(warn).not.toHaveBeenCalled();
  });
});

describe('a refusal', () => {
  it('is written as OCI has it, and asks who is not known for a password', () => {
    expect(refusal(new OciError('UNAUTHORIZED', 'who?'))).toStrictEqual({
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="ecr-upload-proxy"' },
      body: { errors: [{ code: 'UNAUTHORIZED', message: 'who?' }] },
    });
    const members = { detail: { code: 'a' }, headers: { 'retry-after': 5 }, status: 418 };
    expect(refusal(new OciError('DENIED', 'no', members))).toStrictEqual({
      status: 418,
      headers: { 'retry-after': 5 },
      body: { errors: [{ code: 'DENIED', message: 'no', detail: { code: 'a' } }] },
    });
  });

  it('of a port may know what goes on', () => {
    const goesOn = Promise.resolve();
    expect(new PortError('ServiceUnavailableException', 'later', { goesOn })).toMatchObject({ goesOn });
  });
});

describe('an answer', () => {
  const plain: WriteOptions = { isHead: false, close: false, warnings: [], idleMs: 1_000, rest: undefined };

  async function written(answer: Answer, more: Partial<WriteOptions> = {}) {
    const { response, written: text } = unconnected();
    await write(response, answer, { ...plain, ...more });
    await turns();
    return { ...text(), response };
  }

  const standing = ['docker-distribution-api-version: registry/2.0', 'x-content-type-options: nosniff'];

  it('of no body says that it has none', async () => {
    const { status, headers, body, response } = await written({ status: 202 });
    expect({ status, headers, body }).toEqual({
      ...{ status: 'HTTP/1.1 202 Accepted', headers: [...standing, 'content-length: 0'], body: '' },
    });
    expect(response.writableEnded).toBe(true);
    expect((await written({ status: 204 })).headers).toEqual(standing);
  });

  it('is JSON, or the bytes as they are, or chunks as they come', async () => {
    expect(await written({ status: 200, body: { a: 'é' } })).toMatchObject({
      headers: [...standing, 'content-type: application/json', 'content-length: 10'],
      body: '{"a":"é"}',
    });
    expect(
      await written({ status: 200, headers: { 'content-type': 'x' }, body: Buffer.from('ab') }),
    ).toMatchObject({
      ...{ headers: [...standing, 'content-length: 2', 'content-type: x'], body: 'ab' },
    });
    const chunked = { status: 200, headers: { 'content-length': 4 }, body: chunksOf('ab', 'cd') };
    const { headers, body, response } = await written(chunked);
    expect([headers, body]).toEqual([[...standing, 'content-length: 4'], 'abcd']);
    expect(response.writableEnded).toBe(true);
  });

  it('to HEAD has no body', async () => {
    const json = await written({ status: 200, body: { a: 1 } }, { isHead: true });
    expect([json.headers.at(-1), json.body]).toEqual(['content-length: 7', '']);
    const chunks = { status: 200, headers: { 'content-length': 2 }, body: chunksOf('ab') };
    expect((await written(chunks, { isHead: true })).body).toBe('');
  });

  it('ends the connection where it is told to, and warns', async () => {
    const warnings = ['90 % of "bytes" is \\ used', 'so\r\nis thaté', '~ \x7f'];
    const { headers } = await written({ status: 202 }, { close: true, warnings });
    expect(headers).toContain('connection: close');
    expect(headers.filter((line) => line.startsWith('warning'))).toEqual([
      'warning: 299 - "90 % of \\"bytes\\" is \\\\ used"',
      'warning: 299 - "so??is that?"',
      'warning: 299 - "~ ?"',
    ]);
    expect((await written({ status: 202 })).headers.join()).not.toContain('warning');
  });

  it('is written before the rest of a body is read, and ended after it', async () => {
    const { promise: rest, resolve } = Promise.withResolvers<void>();
    const { response, body } = await written({ status: 403, body: { a: 1 } }, { rest });
    expect([body, response.writableEnded]).toEqual(['{"a":1}', false]);
    resolve();
    await rest;
    expect(response.writableEnded).toBe(true);
    const none = await written({ status: 403 }, { rest: new Promise(() => {}) });
    expect([none.status, none.response.writableEnded]).toEqual(['HTTP/1.1 403 Forbidden', false]);
  });

  it('that its client does not take is cut off', async () => {
    const { response } = unconnected();
    const clock = vi.spyOn(response, 'setTimeout');
    await write(response, { status: 202 }, { ...plain, idleMs: 7 });
    const [[idleMs, cutOff] = []] = clock.mock.calls;
    expect([idleMs, response.destroyed]).toEqual([7, false]);
    cutOff?.();
    expect(response.destroyed).toBe(true);
  });

  it('fails as its chunks do', async () => {
    const { response } = unconnected();
    const broken = new Error('ECR broke off');
    async function* failing() {
      yield Buffer.from('a');
      throw broken;
    }
    const answer = { status: 200, headers: { 'content-length': 2 }, body: failing() };
    expect(await failureOf(write(response, answer, plain))).toBe(broken);
  });
});

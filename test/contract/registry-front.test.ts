// What OCI clients are answered, whoever reaches ECR behind it: statuses, headers and codes, as their sources want them.

import { request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { type ErrorCode, errorCodes } from '../../api/errors.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { healthRoute } from '../../registry/front/other-routes.ts';
import { PortError, type RegistryPort } from '../../registry/port.ts';
import { digestOf } from '../support/random-bytes.ts';
import { type Front, lengthOf, startFront } from '../support/scripted-port.ts';

type Answer = { status: number; headers: Headers; body: string };

/** As it is written: `fetch` adds headers of its own. */
const ask = (
  front: Front,
  method: string,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string | number>; body?: string | undefined } = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const hasLength = body !== undefined && !('transfer-encoding' in headers);
    const all = { ...(hasLength && { 'content-length': Buffer.byteLength(body) }), ...headers };
    const sent = request({ port: front.port, method, path, headers: all, agent: false }, (answer) => {
      buffer(answer).then((bytes) => {
        const pairs = Object.entries(answer.headersDistinct).flatMap(([name, values]) =>
          (values ?? []).map((value): [string, string] => [name, value]),
        );
        resolve({ status: answer.statusCode ?? 0, headers: new Headers(pairs), body: bytes.toString() });
      }, reject);
    });
    sent.on('error', reject).end(body);
  });

const digest = digestOf('x');
const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
});
const withSubject = JSON.stringify({ schemaVersion: 2, subject: { digest } });
const emptyDigest = digestOf('');
const sha512 = `sha512:${'0'.repeat(128)}`;
const refusing = (code: ErrorCode, detail?: string) => async (): Promise<never> =>
  Promise.reject(new ProxyError(code, detail));
const denied = refusing('AccessDeniedException', 'the policy says no');
const away = refusing('ServiceUnavailableException');
const absent = async () => undefined;
const read = { mediaType: 'application/vnd.oci.image.index.v1+json', digest, bytes: Buffer.from('{}') };
const state = { reference: 'abc_3', position: 3 };

type Row = {
  what: string;
  port?: Partial<RegistryPort>;
  ask: [method: string, path: string];
  headers?: Record<string, string>;
  body?: string;
  status: number;
  /** null: there is no such header. */
  answers?: Record<string, string | RegExp | null>;
  code?: string;
  says?: RegExp;
};

const uploads = '/v2/team-a/app/blobs/uploads/';
const location = `${uploads}abc_3`;
const bringsAll: Partial<RegistryPort> = {
  begin: async () => ({ reference: 'abc_0', position: 0 }),
  append: async (_name, _reference, { chunks }) => ({ ...state, position: await lengthOf(chunks) }),
  finish: async (_name, _reference, _digest, { chunks }) => void (await lengthOf(chunks)),
  cancel: async () => {},
};

/** The reasons are in the clients' own sources: what each of them demands, and what it does otherwise. */
const rows: Row[] = [
  {
    what: 'a first question',
    ask: ['GET', '/v2/'],
    status: 200,
    answers: { 'content-type': 'application/json' },
  },
  // Uploads.
  {
    what: 'an upload begun',
    port: bringsAll,
    ask: ['POST', uploads],
    status: 202,
    answers: {
      location: `${uploads}abc_0`,
      range: '0-0',
      'docker-upload-uuid': 'abc_0',
      'oci-chunk-min-length': '1',
      'content-length': '0',
      'transfer-encoding': null,
    },
  },
  { what: 'a mount', port: bringsAll, ask: ['POST', `${uploads}?mount=${digest}&from=x`], status: 202 },
  {
    what: 'a whole body to Location',
    port: bringsAll,
    ask: ['PATCH', location],
    body: 'four',
    status: 202,
    answers: { location, range: '0-3', 'content-length': '0' },
  },
  {
    what: 'a chunk, as OCI writes its range',
    port: bringsAll,
    ask: ['PATCH', location],
    headers: { 'content-range': '3-6' },
    body: 'four',
    status: 202,
  },
  {
    what: 'a chunk, as HTTP writes its range',
    port: bringsAll,
    ask: ['PATCH', location],
    headers: { 'content-range': 'bytes 3-6/*' },
    body: 'four',
    status: 202,
  },
  ...['0-5', '3-4', '3-6x', '6-3', 'four'].map(
    (range): Row => ({
      what: `a chunk of four bytes that says ${range}`,
      port: bringsAll,
      ask: ['PATCH', location],
      headers: { 'content-range': range },
      body: 'four',
      status: 400,
      code: /^\d-\d$/.test(range) && range !== '6-3' ? 'SIZE_INVALID' : 'BLOB_UPLOAD_INVALID',
    }),
  ),
  ...['0-5', '3-4'].map(
    (range): Row => ({
      what: `a chunk of four bytes without a length that says ${range}`,
      port: bringsAll,
      ask: ['PATCH', location],
      headers: { 'content-range': range, 'transfer-encoding': 'chunked' },
      body: 'four',
      status: 400,
      code: 'SIZE_INVALID',
    }),
  ),
  {
    what: 'a chunk that is not the next',
    port: {
      append: async () => {
        throw new PortError('InvalidLayerPartException', 'the next byte is 3', { uploadState: state });
      },
    },
    ask: ['PATCH', location],
    body: 'four',
    status: 416,
    answers: { location, range: '0-2' },
    code: 'RANGE_INVALID',
  },
  {
    what: 'an end',
    port: bringsAll,
    ask: ['PUT', `${location}?digest=${digest}&ns=docker.io`],
    status: 201,
    answers: { location: `/v2/team-a/app/blobs/${digest}`, 'docker-content-digest': digest },
  },
  {
    what: 'a whole blob with its digest',
    port: bringsAll,
    ask: ['POST', `${uploads}?digest=${digest}`],
    body: 'x',
    status: 201,
    answers: { location: `/v2/team-a/app/blobs/${digest}` },
  },
  {
    what: 'a question how far it is',
    port: { status: async () => state },
    ask: ['GET', location],
    status: 204,
    answers: { location, range: '0-2', 'content-length': null },
  },
  {
    what: 'a question after an upload that is not there',
    port: {
      status: refusing('UploadNotFoundException'),
    },
    ask: ['GET', location],
    status: 404,
    code: 'BLOB_UPLOAD_UNKNOWN',
  },
  { what: 'a cancelled upload', port: bringsAll, ask: ['DELETE', location], status: 204 },
  {
    what: 'an upload without a digest',
    port: bringsAll,
    ask: ['PUT', location],
    status: 400,
    code: 'DIGEST_INVALID',
  },
  {
    what: 'a blob that ECR cannot store, for it has no byte',
    port: bringsAll,
    ask: ['PUT', `${location}?digest=${emptyDigest}`],
    status: 400,
    code: 'UNSUPPORTED',
    says: /no layer without bytes/,
  },
  {
    what: 'a blob that ECR cannot store, for its digest is another',
    port: bringsAll,
    ask: ['PUT', `${location}?digest=${sha512}`],
    status: 400,
    code: 'UNSUPPORTED',
    says: /SHA-256 digests alone.*sha512/,
  },
  {
    what: 'an upload that is refused',
    port: { begin: denied },
    ask: ['POST', uploads],
    status: 403,
    code: 'DENIED',
  },
  {
    what: 'an upload that ECR has no time for',
    port: {
      begin: refusing('ThrottlingException'),
    },
    ask: ['POST', uploads],
    status: 503,
    answers: { 'retry-after': '2' },
    code: 'UNAVAILABLE',
  },
  {
    what: 'a repository that is not there',
    port: {
      begin: refusing('RepositoryNotFoundException'),
    },
    ask: ['POST', uploads],
    status: 404,
    code: 'NAME_UNKNOWN',
  },
  // Blobs.
  {
    what: 'a blob that is there',
    port: { hasBlob: async () => ({ size: 7 }) },
    ask: ['HEAD', `/v2/team-a/app/blobs/${digest}`],
    status: 200,
    answers: {
      'content-length': '7',
      'docker-content-digest': digest,
      'content-type': 'application/octet-stream',
    },
  },
  ...Object.entries({
    'that is not there': absent,
    'whose size nobody knows': async () => ({ size: undefined }),
    'for one who may not ask': denied,
  }).map(
    ([which, hasBlob]): Row => ({
      what: `a blob ${which}`,
      port: { hasBlob },
      ask: ['HEAD', `/v2/team-a/app/blobs/${digest}`],
      status: 404,
    }),
  ),
  {
    what: 'a blob while ECR is away',
    port: { hasBlob: away },
    ask: ['HEAD', `/v2/team-a/app/blobs/${digest}`],
    status: 503,
    answers: { 'retry-after': '5' },
  },
  ...[sha512, emptyDigest, 'sha256:x', 'x'].map(
    (other): Row => ({
      what: `a blob that ECR cannot have, ${other.slice(0, 20)}`,
      ask: ['HEAD', `/v2/team-a/app/blobs/${other}`],
      status: 404,
    }),
  ),
  {
    what: 'a blob to be had elsewhere',
    port: { getBlob: async () => ({ url: 'https://bucket.test/x?signature=y' }) },
    ask: ['GET', `/v2/team-a/app/blobs/${digest}`],
    status: 307,
    answers: { location: 'https://bucket.test/x?signature=y', 'content-length': '0' },
  },
  {
    what: 'a blob to be had here',
    port: { getBlob: async () => ({ size: 3, chunks: chunksOf('xyz') }) },
    ask: ['GET', `/v2/team-a/app/blobs/${digest}`],
    status: 200,
    answers: { 'content-length': '3' },
    says: /^xyz$/,
  },
  {
    what: 'no blob',
    port: { getBlob: absent },
    ask: ['GET', `/v2/team-a/app/blobs/${digest}`],
    status: 404,
    code: 'BLOB_UNKNOWN',
  },
  // Manifests.
  ...(['GET', 'HEAD'] as const).map(
    (method): Row => ({
      what: `a manifest, by ${method}`,
      port: { getManifest: async () => read },
      ask: [method, '/v2/team-a/app/manifests/1.0'],
      status: 200,
      answers: {
        'content-type': read.mediaType,
        'content-length': '2',
        'docker-content-digest': digest,
      },
    }),
  ),
  {
    what: 'no manifest',
    port: { getManifest: absent },
    ask: ['GET', '/v2/team-a/app/manifests/1.0'],
    status: 404,
    code: 'MANIFEST_UNKNOWN',
  },
  {
    what: 'a manifest, by HEAD, for one who may push and not read',
    port: { getManifest: denied },
    ask: ['HEAD', '/v2/team-a/app/manifests/1.0'],
    status: 404,
  },
  {
    what: 'a manifest, by GET, for one who may push and not read',
    port: { getManifest: denied },
    ask: ['GET', '/v2/team-a/app/manifests/1.0'],
    status: 403,
    code: 'DENIED',
  },
  {
    what: 'a manifest while ECR is away',
    port: { getManifest: away },
    ask: ['HEAD', '/v2/team-a/app/manifests/1.0'],
    status: 503,
  },
  ...[sha512, 'no tag!'].map(
    (reference): Row => ({
      what: `a manifest that ECR cannot have, ${reference.slice(0, 10)}`,
      ask: ['GET', `/v2/team-a/app/manifests/${encodeURIComponent(reference)}`],
      status: 404,
      code: 'MANIFEST_UNKNOWN',
    }),
  ),
  {
    what: 'a manifest put by its tag',
    port: { putManifest: async () => ({ listsReferrers: true }) },
    ask: ['PUT', '/v2/team-a/app/manifests/1.0'],
    body: manifest,
    status: 201,
    answers: {
      location: `/v2/team-a/app/manifests/${digestOf(manifest)}`,
      'docker-content-digest': digestOf(manifest),
      'oci-subject': null,
      'content-length': '0',
    },
  },
  {
    what: 'a manifest with a subject',
    port: { putManifest: async () => ({ listsReferrers: true }) },
    ask: ['PUT', '/v2/team-a/app/manifests/1.0'],
    body: withSubject,
    status: 201,
    answers: { 'oci-subject': digest },
  },
  {
    what: 'a manifest with a subject that is no line of text',
    port: { putManifest: async () => ({ listsReferrers: true }) },
    ask: ['PUT', '/v2/team-a/app/manifests/1.0'],
    body: JSON.stringify({ schemaVersion: 2, subject: { digest: 'x\r\ny: z' } }),
    status: 201,
    answers: { 'oci-subject': null, y: null },
  },
  {
    what: 'a manifest whose type is no line of text',
    port: { getManifest: async () => ({ ...read, mediaType: 'x\r\ny: z' }) },
    ask: ['GET', '/v2/team-a/app/manifests/1.0'],
    status: 200,
    answers: { 'content-type': 'application/octet-stream' },
  },
  {
    what: 'a manifest with a subject, where nobody lists it',
    port: { putManifest: async () => ({ listsReferrers: false }) },
    ask: ['PUT', '/v2/team-a/app/manifests/1.0'],
    body: withSubject,
    status: 201,
    answers: { 'oci-subject': null },
  },
  {
    what: 'a manifest under another digest',
    ask: ['PUT', `/v2/team-a/app/manifests/${digest}`],
    body: manifest,
    status: 400,
    code: 'DIGEST_INVALID',
  },
  ...['-x', '.x', 'x'.repeat(129), 'a b', 'ä', 'a+b'].map(
    (tag): Row => ({
      what: `a manifest under the tag ${tag.slice(0, 10)}, which is none`,
      ask: ['PUT', `/v2/team-a/app/manifests/${encodeURIComponent(tag)}`],
      body: manifest,
      status: 400,
      code: 'TAG_INVALID',
      says: /a tag has at most 128/,
    }),
  ),
  {
    what: 'no manifest at all',
    ask: ['PUT', '/v2/team-a/app/manifests/1.0'],
    body: 'x',
    status: 400,
    code: 'MANIFEST_INVALID',
  },
  // What BuildKit says is what its user sees: that some images do not exist would lead nowhere.
  {
    what: 'a build cache that lists layers',
    port: { putManifest: refusing('ReferencedImagesNotFoundException') },
    ask: ['PUT', '/v2/team-a/app/manifests/1.0'],
    body: JSON.stringify({
      schemaVersion: 2,
      manifests: [
        { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest },
        { mediaType: 'application/vnd.buildkit.cacheconfig.v0', digest },
      ],
    }),
    status: 400,
    code: 'MANIFEST_BLOB_UNKNOWN',
    says: /add image-manifest=true,oci-mediatypes=true/,
  },
  ...[[{ mediaType: 'application/vnd.oci.image.manifest.v1+json' }], [1], 'x', null].map(
    (manifests): Row => ({
      what: `an index of ${JSON.stringify(manifests)} that are not there`,
      port: { putManifest: refusing('ReferencedImagesNotFoundException', 'some do not exist') },
      ask: ['PUT', '/v2/team-a/app/manifests/1.0'],
      body: JSON.stringify({ schemaVersion: 2, manifests }),
      status: 400,
      code: 'MANIFEST_BLOB_UNKNOWN',
      says: /some do not exist/,
    }),
  ),
  {
    what: 'a manifest that the policy refuses',
    port: { putManifest: denied },
    ask: ['PUT', '/v2/team-a/app/manifests/1.0'],
    body: manifest,
    status: 403,
    code: 'DENIED',
    says: /the policy says no/,
  },
  // Listings.
  {
    what: 'tags',
    port: { listTags: async () => ['b', 'a', 'c'] },
    ask: ['GET', '/v2/team-a/app/tags/list?n=2'],
    status: 200,
    answers: { link: '</v2/team-a/app/tags/list?n=2&last=b>; rel="next"' },
    says: /\["a","b"\]/,
  },
  {
    what: 'the last tags',
    port: { listTags: async () => ['b', 'a', 'c'] },
    ask: ['GET', '/v2/team-a/app/tags/list?n=2&last=b'],
    status: 200,
    answers: { link: null },
    says: /\["c"\]/,
  },
  {
    what: 'tags of a repository that is not there',
    port: {
      listTags: refusing('RepositoryNotFoundException'),
    },
    ask: ['GET', '/v2/team-a/app/tags/list'],
    status: 404,
    code: 'NAME_UNKNOWN',
  },
  {
    what: 'tags, minus one of them',
    ask: ['GET', '/v2/team-a/app/tags/list?n=-1'],
    status: 400,
    code: 'UNSUPPORTED',
  },
  {
    what: 'referrers',
    port: { listReferrers: async () => [{ mediaType: 'm', digest, size: 1, artifactType: 'a' }] },
    ask: ['GET', `/v2/team-a/app/referrers/${digest}?artifactType=b`],
    status: 200,
    answers: {
      'content-type': 'application/vnd.oci.image.index.v1+json',
      'oci-filters-applied': 'artifactType',
    },
    says: /"manifests":\[\]/,
  },
  {
    what: 'referrers, for one who may push and not read',
    port: { listReferrers: denied },
    ask: ['GET', `/v2/team-a/app/referrers/${digest}`],
    status: 200,
    answers: {
      'content-type': 'application/vnd.oci.image.index.v1+json',
      warning: '299 - "the policy says no. The list of referrers is empty for that reason."',
    },
    says: /"manifests":\[\]/,
  },
  {
    what: 'referrers while ECR is away',
    port: { listReferrers: away },
    ask: ['GET', `/v2/team-a/app/referrers/${digest}`],
    status: 503,
    code: 'UNAVAILABLE',
  },
  {
    what: 'referrers where nobody lists them',
    port: { listReferrers: absent },
    ask: ['GET', `/v2/team-a/app/referrers/${digest}`],
    status: 404,
    code: 'UNSUPPORTED',
  },
  // What is not there.
  {
    what: 'a name that is none',
    ask: ['POST', '/v2/Team/blobs/uploads/'],
    status: 400,
    code: 'NAME_INVALID',
  },
  {
    what: 'deleting',
    ask: ['DELETE', '/v2/team-a/app/manifests/1.0'],
    status: 405,
    answers: { allow: 'GET, HEAD, PUT' },
    code: 'UNSUPPORTED',
  },
  { what: 'a catalog', ask: ['GET', '/v2/_catalog'], status: 405, code: 'UNSUPPORTED' },
];

async function* chunksOf(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    yield Buffer.from(text);
  }
}

describe('an OCI client that brings or asks for', () => {
  it.each(rows)('$what is answered $status $code', async (row) => {
    const front = await startFront(row.port ?? {});
    const [method, path] = row.ask;
    const answer = await ask(front, method, path, { headers: row.headers ?? {}, body: row.body });
    expect(answer.status).toBe(row.status);
    for (const [name, value] of Object.entries(row.answers ?? {})) {
      if (value instanceof RegExp) {
        expect(answer.headers.get(name)).toMatch(value);
      } else {
        expect(answer.headers.get(name), name).toBe(value);
      }
    }
    if (row.code !== undefined) {
      expect(answer.headers.get('content-type')).toBe('application/json');
      expect(JSON.parse(answer.body)).toMatchObject({ errors: [{ code: row.code }] });
    }
    if (row.says) {
      expect(answer.body).toMatch(row.says);
    }
    if (method === 'HEAD') {
      expect(answer.body).toBe('');
    }
  });
});

describe('a manifest', () => {
  it.each([
    [
      'application/vnd.oci.image.manifest.v1+json; charset=utf-8',
      'application/vnd.oci.image.manifest.v1+json',
    ],
    ['application/vnd.oci.image.index.v1+json', 'application/vnd.oci.image.index.v1+json'],
    [undefined, 'application/vnd.oci.image.manifest.v1+json'],
  ])('that comes as %s is put as %s', async (contentType, mediaType) => {
    const put: unknown[] = [];
    const front = await startFront({
      putManifest: async (name, { bytes, ...members }) => {
        put.push([name, members, bytes.length]);
        return { listsReferrers: true };
      },
    });
    const headers = contentType === undefined ? {} : { 'content-type': contentType };
    await ask(front, 'PUT', '/v2/team-a/app/manifests/1.0', { headers, body: manifest });
    const expected = { tag: '1.0', digest: digestOf(manifest), mediaType };
    expect(put).toEqual([['team-a/app', expected, manifest.length]]);
  });
});

describe('a refusal', () => {
  it.each(errorCodes)('%s is one of OCI’s, and never 429, at which docker gives up', async (code) => {
    const front = await startFront({ begin: refusing(code) });
    const answer = await ask(front, 'POST', uploads);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).not.toBe(429);
    expect(JSON.parse(answer.body)).toMatchObject({
      errors: [{ code: expect.stringMatching(/^[A-Z_]+$/), detail: { code } }],
    });
    expect(answer.status === 401).toBe(answer.headers.has('www-authenticate'));
  });

  it('of a login asks for a password by Basic alone', async () => {
    const front = await startFront(() => {
      throw new ProxyError('UnrecognizedClientException');
    });
    const answer = await ask(front, 'GET', '/v2/');
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      401,
      'Basic realm="ecr-upload-proxy"',
    ]);
  });

  it('tells the id of the request that was refused, and when to come again', async () => {
    const front = await startFront({
      begin: async () => {
        throw new PortError('ServiceUnavailableException', 'away', {
          requestId: 'r-1',
          retryAfterSeconds: 9,
        });
      },
    });
    const answer = await ask(front, 'POST', uploads);
    expect(answer.headers.get('retry-after')).toBe('9');
    expect(JSON.parse(answer.body)).toEqual({
      errors: [
        {
          code: 'UNAVAILABLE',
          message: 'away (request r-1)',
          detail: { code: 'ServiceUnavailableException', requestId: 'r-1' },
        },
      ],
    });
  });

  it('that is a fault tells nothing, and the log all', async () => {
    const fault = new TypeError('x is undefined');
    const front = await startFront({
      begin: async () => {
        throw fault;
      },
    });
    const answer = await ask(front, 'POST', uploads);
    expect([answer.status, answer.body]).toEqual([500, expect.not.stringContaining('undefined')]);
    expect(front.served).toMatchObject([{ method: 'POST', path: uploads, status: 500, client: 'a', fault }]);
  });
});

it('what a quota says before it is used up is sent as a warning, correctly quoted', async () => {
  const front = await startFront(({ warn }) => ({
    begin: async () => {
      warn('90 % of "bytes" is used');
      warn('so\r\nis: that');
      return state;
    },
  }));
  const answer = await ask(front, 'POST', uploads);
  expect(answer.headers.get('warning')).toBe('299 - "90 % of \\"bytes\\" is used", 299 - "so??is: that"');
});

it('a log that fails fails no request', async () => {
  const front = await startFront(bringsAll, {
    onServed: () => {
      throw new Error('no space left on device');
    },
  });
  for (let count = 0; count < 3; count += 1) {
    expect((await ask(front, 'POST', uploads)).status).toBe(202);
  }
});

it('a path for a load balancer is answered without a login', async () => {
  const front = await startFront(
    () => {
      throw new ProxyError('UnrecognizedClientException');
    },
    { otherRoutes: [healthRoute('/health')] },
  );
  expect((await ask(front, 'GET', '/health')).status).toBe(200);
  expect((await ask(front, 'POST', '/health')).status).toBe(401);
});

it('a whole blob that fails in its first request leaves no upload behind', async () => {
  const cancelled: string[] = [];
  const front = await startFront({
    begin: async () => ({ reference: 'abc_0', position: 0 }),
    finish: refusing('InvalidLayerException'),
    cancel: async (_name, reference) => void cancelled.push(reference),
  });
  const answer = await ask(front, 'POST', `${uploads}?digest=${digest}`, { body: 'x' });
  expect([answer.status, cancelled]).toEqual([400, ['abc_0']]);
});

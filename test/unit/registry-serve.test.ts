// One request of an OCI client from its headers to its answer, without a connection: who is asked, told and logged what.

import { describe, expect, it, vi } from 'vitest';
import { ProxyError } from '../../api/proxy-error.ts';
import { defaultBounds } from '../../registry/front/bounds.ts';
import { ManifestMemory } from '../../registry/front/manifest-memory.ts';
import { OciError } from '../../registry/front/oci-errors.ts';
import { type Served, type Service, serve } from '../../registry/front/serve.ts';
import { UploadSlots } from '../../registry/front/upload-slots.ts';
import { type OpenRegistry, PortError, type RegistryPort } from '../../registry/port.ts';
import { digestOf } from '../support/random-bytes.ts';
import { unscriptedPort } from '../support/scripted-port.ts';
import { turns, unconnected } from '../support/unconnected.ts';

const digest = digestOf('x');
const manifest = '/v2/team-a/app/manifests/1.0';
const upload = '/v2/team-a/app/blobs/uploads/abc_3';
const image = { mediaType: 'm', digest, bytes: Buffer.from('{}') };
const denied = new ProxyError('AccessDeniedException', 'no');

type Options = Partial<Service> & {
  port?: Partial<RegistryPort>;
  headers?: Record<string, string>;
  body?: string;
  ends?: boolean;
};

function open(method: string, url: string, { port = {}, headers, body, ends, ...more }: Options = {}) {
  const served: Served[] = [];
  const opened = vi.fn<OpenRegistry>(async () => ({ ...unscriptedPort, client: 'c', ...port }));
  const onFirstRead = vi.fn();
  const service: Service = {
    ...{ open: opened, registry: 'ecr', admit: () => {}, sourceIpOf: () => '192.0.2.1', otherRoutes: [] },
    ...{ bounds: defaultBounds, slots: new UploadSlots(defaultBounds), isClosing: () => false },
    manifestMemory: new ManifestMemory(defaultBounds),
    onServed: (one) => served.push(one),
    ...more,
  };
  const exchange = unconnected(method, url, headers, body, ends);
  const { request, response } = exchange;
  const work = serve(request, response, service, onFirstRead);
  return { ...exchange, served, opened, onFirstRead, work };
}

async function done(method: string, url: string, options: Options = {}) {
  const one = open(method, url, options);
  await one.work;
  await turns();
  return { ...one, ...one.written(), served: one.served[0] };
}

const refusing = (error: unknown) => async (): Promise<never> => Promise.reject(error);

const errorsOf = ({ body }: { body: string }) => JSON.parse(body).errors;

describe('a request', () => {
  it('is its caller’s, who is known by the token', async () => {
    const headers = { authorization: 'Bearer t', 'user-agent': 'docker/29' };
    const { status, body, opened, served } = await done('GET', '/v2/?a=b', { headers });
    expect([status, body]).toEqual(['HTTP/1.1 200 OK', '{}']);
    const [[caller] = []] = opened.mock.calls;
    const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
    expect(caller).toEqual({
      ...{ token: 't', sourceIp: '192.0.2.1', userAgent: 'docker/29' },
      ...{
        requestId: expect.stringMatching(uuid),
        abortSignal: expect.any(AbortSignal),
        warn: expect.any(Function),
      },
    });
    expect(served).toEqual({
      ...{ requestId: caller?.requestId, sourceIp: '192.0.2.1', method: 'GET', path: '/v2/', status: 200 },
      ...{ ms: expect.any(Number), client: 'c', code: undefined, fault: undefined },
    });
  });

  it('has an id of its own', async () => {
    const [one, other] = [await done('GET', '/v2/'), await done('GET', '/v2/')];
    expect(one.served?.requestId).not.toBe(other.served?.requestId);
  });

  it('is measured by its time', async () => {
    const now = vi.spyOn(performance, 'now').mockReturnValueOnce(1_000).mockReturnValueOnce(1_234.4);
    expect((await done('GET', '/v2/')).served?.ms).toBe(234);
    now.mockRestore();
  });

  it('is let in before anything of it is looked at', async () => {
    const admit = () => {
      throw denied;
    };
    const { status, opened, served } = await done('GET', '/v2/', { admit });
    expect([status, served?.code]).toEqual(['HTTP/1.1 403 Forbidden', 'AccessDeniedException']);
    expect(opened).not.toHaveBeenCalled();
  });

  it('has the query that it came with', async () => {
    const finish = vi.fn(async () => {});
    const { status } = await done('PUT', `${upload}?a=b?c&digest=${encodeURIComponent(digest)}`, {
      port: { finish },
    });
    expect(status).toBe('HTTP/1.1 201 Created');
    expect(finish).toHaveBeenCalledWith('team-a/app', 'abc_3', digest, expect.anything());
    expect((await done('PUT', `${upload}?digest=${digest}`, { port: { finish } })).status).toBe(status);
    const listTags = async () => ['x?z', 'xz'];
    const { body } = await done('GET', '/v2/team-a/app/tags/list?last=x?y', { port: { listTags } });
    expect(JSON.parse(body)).toMatchObject({ tags: ['x?z', 'xz'] });
    expect((await done('PUT', upload)).status).toBe('HTTP/1.1 400 Bad Request');
  });

  it('for HEAD is answered without a body', async () => {
    const { headers, body, served } = await done('HEAD', manifest, {
      port: { getManifest: async () => image },
    });
    expect([headers.includes('content-length: 2'), body, served?.method]).toEqual([true, '', 'HEAD']);
  });

  it('is told what its port wants told, and that the server is being stopped', async () => {
    const open: OpenRegistry = async ({ warn }) => {
      warn('nearly used up');
      return { ...unscriptedPort, client: 'c' };
    };
    const { headers } = await done('GET', '/v2/', { open, isClosing: () => true });
    expect(headers).toEqual(expect.arrayContaining(['warning: 299 - "nearly used up"', 'connection: close']));
    const begin = async () => ({ reference: 'a', position: 0 });
    const refused = await done('POST', '/v2/team-a/app/blobs/uploads/', {
      port: { begin },
      isClosing: () => true,
    });
    expect(refused.status).toBe('HTTP/1.1 503 Service Unavailable');
  });

  it('is asked for its body when that is read', async () => {
    const append: RegistryPort['append'] = async (_name, _reference, { chunks }) => {
      let position = 0;
      for await (const chunk of chunks) {
        position += chunk.length;
      }
      return { reference: 'a', position };
    };
    const headers = { 'content-length': '3' };
    const { headers: told, onFirstRead } = await done('PATCH', upload, {
      port: { append },
      headers,
      body: 'abc',
    });
    expect(told).toContain('range: 0-2');
    expect(onFirstRead).toHaveBeenCalledTimes(1);
    expect((await done('GET', '/v2/')).onFirstRead).not.toHaveBeenCalled();
  });
});

describe('a request that nobody answers', () => {
  it.each([
    ['GET', '/v3/', undefined],
    ['GET', '/%', undefined],
    ['GET', '/v2/%ff', undefined],
    ['BREW', '/v2/', 'GET, HEAD'],
    ['DELETE', manifest, 'GET, HEAD, PUT'],
  ])('is told so: %s %s', async (method, url, allow) => {
    const { status, headers, served, ...rest } = await done(method, url);
    expect(status).toBe('HTTP/1.1 405 Method Not Allowed');
    expect(errorsOf(rest)).toEqual([{ code: 'UNSUPPORTED', message: 'this registry does not do this' }]);
    expect(headers.find((line) => line.startsWith('allow'))).toBe(allow && `allow: ${allow}`);
    expect(served).toMatchObject({ code: 'UNSUPPORTED', client: 'c' });
  });

  it('is told so only when it is known who asks', async () => {
    const unknown = refusing(new ProxyError('UnrecognizedClientException'));
    const { status, served } = await done('GET', '/v3/', { open: unknown });
    expect([status, served?.client]).toEqual(['HTTP/1.1 401 Unauthorized', undefined]);
  });

  it.each(['%74eam-a%2Fapp', 'team-a/app'])('is none in a repository that is named %s', async (name) => {
    const getManifest = vi.fn(async () => image);
    await done('GET', `/v2/${name}/manifests/1.0`, { port: { getManifest } });
    expect(getManifest.mock.calls).toEqual([['team-a/app', { tag: '1.0' }]]);
  });

  it('in a repository that none can be is refused', async () => {
    const { status, ...rest } = await done('GET', '/v2/Team/manifests/1.0');
    expect([status, errorsOf(rest)[0].code]).toEqual(['HTTP/1.1 400 Bad Request', 'NAME_INVALID']);
    const long = await done('GET', `/v2/${'a'.repeat(206)}/manifests/1.0`, { registry: 'ecr-public' });
    expect(errorsOf(long)[0].code).toBe('NAME_INVALID');
  });
});

describe('a path outside of the API', () => {
  const answer = vi.fn(async () => ({ answer: { status: 202, body: {} }, code: 'a code' }));
  const otherRoutes = [{ path: '/health', methods: { GET: answer } }];

  it('is answered by its own route, which is told who asks', async () => {
    const { status, served, opened } = await done('GET', '/health?a=b', { otherRoutes, headers: { a: 'b' } });
    expect([status, served?.code, served?.client]).toEqual(['HTTP/1.1 202 Accepted', 'a code', undefined]);
    expect(answer).toHaveBeenCalledWith(
      expect.objectContaining({ requestId: served?.requestId, sourceIp: '192.0.2.1', headers: { a: 'b' } }),
    );
    expect(opened).not.toHaveBeenCalled();
  });

  it.each([
    ['POST', '/health'],
    ['GET', '/healthx'],
  ])('is no other: %s %s', async (method, path) => {
    expect((await done(method, path, { otherRoutes })).status).toBe('HTTP/1.1 405 Method Not Allowed');
  });

  it('may fail', async () => {
    const fault = new Error('x is undefined');
    const routes = [{ path: '/health', methods: { GET: refusing(fault) } }];
    const { status, served } = await done('GET', '/health', { otherRoutes: routes });
    expect([status, served?.fault]).toEqual(['HTTP/1.1 500 Internal Server Error', fault]);
  });
});

describe('what is thrown', () => {
  const failing = (error: unknown, url = manifest) =>
    url === manifest
      ? done('GET', url, { port: { getManifest: refusing(error) } })
      : done('PATCH', url, { port: { append: refusing(error) } });

  it('as a refusal of the table is told as OCI has it for what was asked for', async () => {
    const error = new ProxyError('LayersNotFoundException', 'no such layer');
    const { served, ...rest } = await failing(error);
    expect(errorsOf(rest)[0]).toMatchObject({ code: 'MANIFEST_BLOB_UNKNOWN', message: 'no such layer' });
    expect(served).toMatchObject({ code: 'LayersNotFoundException', fault: undefined });
    expect(errorsOf(await failing(error, upload))[0]).toMatchObject({ code: 'BLOB_UNKNOWN' });
  });

  it('before a route is known is of a blob', async () => {
    const open = refusing(new ProxyError('LayersNotFoundException'));
    expect(errorsOf(await done('GET', '/v3/', { open }))[0]).toMatchObject({ code: 'BLOB_UNKNOWN' });
  });

  it('with the place of an upload tells where that goes on', async () => {
    const uploadState = { reference: 'abc_9', position: 10 };
    const error = new PortError('InvalidLayerPartException', 'not the next', { uploadState });
    const { status, headers } = await failing(error, upload);
    expect(status).toBe('HTTP/1.1 416 Range Not Satisfiable');
    const location = 'location: /v2/team-a/app/blobs/uploads/abc_9';
    expect(headers).toEqual(expect.arrayContaining([location, 'range: 0-9']));
  });

  it('as one of OCI’s errors is logged by its cause, if that has a code', async () => {
    expect((await failing(new OciError('DENIED', 'no', { cause: denied }))).served?.code).toBe(
      'AccessDeniedException',
    );
    expect((await failing(new OciError('DENIED', 'no', { cause: new Error('x') }))).served?.code).toBe(
      'DENIED',
    );
  });

  it('as anything else is a fault, of which the client hears nothing', async () => {
    const fault = Object.assign(new Error('x is undefined'), { code: 'AccessDeniedException' });
    const { status, served, ...rest } = await failing(fault);
    expect(status).toBe('HTTP/1.1 500 Internal Server Error');
    expect(errorsOf(rest)).toEqual([
      { code: 'UNKNOWN', message: 'a fault of this registry: its log says more' },
    ]);
    expect(served).toMatchObject({ status: 500, code: undefined, fault });
  });
});

describe('a refusal of HEAD, which has no body', () => {
  const away = new ProxyError('ServiceUnavailableException', 'ECR is away');
  const unknown = new ProxyError('UnrecognizedClientException');

  it.each<[string, unknown, string, string | undefined]>([
    ['HEAD', away, '503 Service Unavailable', 'warning: 299 - "ECR is away"'],
    ['HEAD', denied, '404 Not Found', undefined],
    ['HEAD', unknown, '401 Unauthorized', undefined],
    ['GET', away, '503 Service Unavailable', undefined],
  ])(
    'says its reason as a warning, unless it is the answer: %s, %s',
    async (method, error, status, warning) => {
      const answer = await done(method, manifest, { port: { getManifest: refusing(error) } });
      expect([answer.status, answer.headers.find((line) => line.startsWith('warning'))]).toEqual([
        `HTTP/1.1 ${status}`,
        warning,
      ]);
    },
  );
});

describe('a client that goes away', () => {
  function waiting() {
    const asked = Promise.withResolvers<AbortSignal>();
    const result = Promise.withResolvers<typeof image>();
    const open: OpenRegistry = async ({ abortSignal }) => ({
      ...unscriptedPort,
      client: 'c',
      getManifest: () => {
        asked.resolve(abortSignal);
        return result.promise;
      },
    });
    return { asked: asked.promise, result, open };
  }

  it('ends what was asked for it, and is no fault', async () => {
    const { asked, result, open: opening } = waiting();
    const one = open('GET', manifest, { open: opening });
    const signal = await asked;
    expect(signal.aborted).toBe(false);
    const writeHead = vi.spyOn(one.response, 'writeHead');
    await one.end();
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ name: 'ClientGone', message: 'the client has gone away' });
    result.reject(denied);
    await one.work;
    expect(writeHead).not.toHaveBeenCalled();
    expect(one.served).toMatchObject([{ status: undefined, code: undefined, fault: undefined, client: 'c' }]);
  });

  it('after its answer has not gone away', async () => {
    const { asked, result, open: opening } = waiting();
    const one = open('GET', manifest, { open: opening });
    const signal = await asked;
    result.resolve(image);
    await one.work;
    await turns();
    await one.end();
    expect(signal.aborted).toBe(false);
    expect(one.served).toMatchObject([{ status: 200 }]);
  });

  it('amid its body is known by the body', async () => {
    const append: RegistryPort['append'] = async (_name, _reference, { chunks }) => {
      for await (const _ of chunks) {
        // It is read to its end.
      }
      throw denied;
    };
    const one = open('PATCH', upload, {
      port: { append },
      headers: { 'content-length': '9' },
      body: 'abc',
      ends: false,
    });
    await turns();
    one.request.emit('close');
    await one.work;
    expect(one.served).toMatchObject([{ status: undefined, fault: undefined, code: undefined }]);
  });
});

describe('an answer whose bytes fail', () => {
  it('ends its connection, and is a fault', async () => {
    const fault = new Error('ECR broke off');
    async function* failing() {
      yield Buffer.from('a');
      throw fault;
    }
    const getBlob = async () => ({ size: 2, chunks: failing() });
    const { response, served } = await done('GET', `/v2/team-a/app/blobs/${digest}`, { port: { getBlob } });
    expect([response.destroyed, served?.fault, served?.status]).toEqual([true, fault, 200]);
  });

  it('after a fault is that fault', async () => {
    const first = new Error('the first');
    async function* failing() {
      yield Buffer.from('a');
      throw new Error('the second');
    }
    const answer = { status: 500, headers: { 'content-length': 2 }, body: failing() };
    const otherRoutes = [{ path: '/x', methods: { GET: async () => ({ answer, fault: first }) } }];
    expect((await done('GET', '/x', { otherRoutes })).served?.fault).toBe(first);
  });
});

describe('the memory of a manifest', () => {
  const bounds = { manifestBytes: 3, manifestBytesPerClient: 3 };

  it('is held until its connection is free, and then given back', async () => {
    const manifestMemory = new ManifestMemory(bounds);
    const one = await done('GET', manifest, { port: { getManifest: async () => image }, manifestMemory });
    expect(one.status).toBe('HTTP/1.1 200 OK');
    expect(() => manifestMemory.take('c', 2)).toThrow(OciError);
    await one.end();
    manifestMemory.take('c', 3);
  });

  it('is given back where the client has gone before', async () => {
    const manifestMemory = new ManifestMemory(bounds);
    const { promise, resolve } = Promise.withResolvers<typeof image>();
    const one = open('GET', manifest, { port: { getManifest: () => promise }, manifestMemory });
    await turns();
    await one.end();
    resolve(image);
    await one.work;
    manifestMemory.take('c', 3);
  });

  it('is one client’s', async () => {
    const manifestMemory = new ManifestMemory({ manifestBytes: 10, manifestBytesPerClient: 3 });
    const port = { getManifest: async () => image };
    await done('GET', manifest, { port, manifestMemory });
    const refused = await done('GET', manifest, { port, manifestMemory });
    expect(refused.status).toBe('HTTP/1.1 503 Service Unavailable');
    const other = await done('GET', manifest, { port: { ...port, client: 'd' }, manifestMemory });
    expect(other.status).toBe('HTTP/1.1 200 OK');
  });
});

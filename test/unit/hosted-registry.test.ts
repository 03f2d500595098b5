// The registry endpoint's port before the five steps: what each of its operations asks of them, and what the log is told.

import pLimit from 'p-limit';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { OperationName } from '../../api/operations.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import type { IncomingCall } from '../../lambda/incoming-call.ts';
import type { ServeServices } from '../../lambda/serve.ts';
import type { Principal } from '../../policy/principal.ts';
import { Unanswered } from '../../registry/hosted/answer-time.ts';
import { PartBuffers } from '../../registry/hosted/part-buffers.ts';
import { type HostedRegistryOptions, hostedRegistry } from '../../registry/hosted/registry.ts';
import { RequestRecords } from '../../registry/hosted/request-records.ts';
import { type Caller, type IncomingBytes, PortError } from '../../registry/port.ts';
import { digestOf } from '../support/random-bytes.ts';
import { recordedLines } from '../support/recorded-lines.ts';
import { unreachedServices } from '../support/unreached-services.ts';

type Identify = (
  call: Pick<IncomingCall, 'headers' | 'abortSignal' | 'record'>,
  services: ServeServices,
) => Promise<Principal>;
type Step = (call: IncomingCall, services: ServeServices) => Promise<unknown>;
const { identify, serve, decide } = vi.hoisted(() => ({
  identify: vi.fn<Identify>(),
  serve: vi.fn<Step>(),
  decide: vi.fn<Step>(),
}));
vi.mock('../../lambda/serve.ts', () => ({ identify, serve, decide }));
vi.mock('../../api/limits.ts', async (original) => ({
  ...(await original<typeof import('../../api/limits.ts')>()),
  minEcrPartBytes: 5,
  maxEcrPartBytes: 30,
}));

const repositoryName = 'team-a/app';
const bytes = Buffer.from('some bytes of a layer');
const digest = digestOf(bytes);
const principal: Principal = { type: 'Client', id: 'team-a-ci' };

/** By operation, what the five steps answer; another operation is not asked for. */
let answers: Partial<Record<OperationName, (members: unknown) => unknown>>;

beforeEach(() => {
  answers = {
    InitiateLayerUpload: () => ({ uploadId: 'aa', partSize: 1 }),
    UploadLayerPart: () => ({ lastByteReceived: 0 }),
    CompleteLayerUpload: () => ({ layerDigest: digest }),
    BatchCheckLayerAvailability: () => ({ layers: [], failures: [] }),
  };
  identify.mockReset().mockResolvedValue(principal);
  decide.mockReset().mockResolvedValue(undefined);
  serve.mockReset().mockImplementation(async (call) => {
    const answer = answers[call.operation];
    if (!answer) {
      throw new Error(`${call.operation} is not asked for`);
    }
    return answer(await call.readMembers());
  });
});

const asked = () =>
  Promise.all(serve.mock.calls.map(async ([call]) => [call.operation, await call.readMembers()] as const));

const noBody: IncomingBytes = { first: undefined, length: 0, chunks: chunksOf() };
async function* chunksOf(...chunks: Uint8Array[]) {
  yield* chunks;
}
const bodyOf = (body: Uint8Array): IncomingBytes => ({
  ...{ first: undefined, length: body.length, chunks: chunksOf(body) },
});

function opened(more: Partial<HostedRegistryOptions> = {}, caller: Partial<Caller> = {}) {
  const { lines, beginRecord } = recordedLines();
  const records = new RequestRecords(beginRecord);
  const { signal } = new AbortController();
  const asker: Caller = {
    ...{ token: 't', sourceIp: '192.0.2.1', userAgent: undefined, requestId: 'r-1', abortSignal: signal },
    warn: () => {},
    ...caller,
  };
  const options: HostedRegistryOptions = {
    services: unreachedServices,
    registry: 'ecr',
    records,
    buffers: new PartBuffers(),
    sends: pLimit(1),
    manifestReads: pLimit(1),
    unanswered: new Unanswered(),
    patience: { attemptMs: 60_000, budgetMs: 60_000, pauseMs: () => 0 },
    answerMs: 60_000,
    blobMode: 'redirect',
    ...more,
  };
  const end = (status: number, code?: string) =>
    records.end({
      requestId: asker.requestId,
      sourceIp: asker.sourceIp,
      method: 'PUT',
      status,
      code,
      fault: undefined,
    });
  return { port: hostedRegistry(options)(asker), lines, end, asker };
}

async function open(more: Partial<HostedRegistryOptions> = {}, caller: Partial<Caller> = {}) {
  const { port, ...rest } = opened(more, caller);
  return { port: await port, ...rest };
}

const refusing = (error: unknown) => async (): Promise<never> => Promise.reject(error);

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => {
      throw new Error('it was not refused');
    },
    (error: unknown) => error,
  );
}

describe('a request', () => {
  it('is identified by its token, and its client is named by type and name', async () => {
    const { port, asker } = await open();
    expect(port.client).toBe('Client::team-a-ci');
    expect(port.minChunkBytes).toBe(5);
    const [[call] = []] = identify.mock.calls;
    expect(call).toMatchObject({ headers: { authorization: 'Bearer t' }, abortSignal: asker.abortSignal });
    await port.hasBlob(repositoryName, digest);
    expect(serve.mock.calls[0]?.[0]).toMatchObject({
      headers: { authorization: 'Bearer t' },
      tellNearlyUsed: asker.warn,
      registry: 'ecr',
    });
  });

  it('without a token has no header', async () => {
    await open({}, { token: undefined });
    expect(identify.mock.calls[0]?.[0].headers).toStrictEqual({});
  });

  it('has token checkers of its own, by which a token lasts for all of it', async () => {
    const workload = { type: 'Workload', id: 'w', issuer: 'i', subject: 's', claims: {} } as const;
    const verify = vi.fn(async () => workload);
    const services = {
      ...unreachedServices,
      tokens: { ...unreachedServices.tokens, verifyOidcToken: verify },
    };
    identify.mockImplementation(async (_call, { tokens }) => tokens.verifyOidcToken('t'));
    const { port } = await open({ services });
    verify.mockRejectedValue(new ProxyError('ExpiredTokenException'));
    await port.hasBlob(repositoryName, digest);
    expect(await serve.mock.calls[0]?.[1].tokens.verifyOidcToken('t')).toBe(workload);
    expect(serve.mock.calls[0]?.[1].authority).toBe(services.authority);
  });

  it('that is refused is so in the log', async () => {
    const error = new ProxyError('UnrecognizedClientException');
    identify.mockRejectedValue(error);
    const { port, lines, end } = opened();
    expect(await failureOf(port)).toBe(error);
    end(401, 'UnrecognizedClientException');
    expect(lines).toMatchObject([
      { origin: { requestId: 'r-1', sourceIp: '192.0.2.1' }, status: 401, error },
    ]);
  });

  it('that fails by a fault is none that was refused', async () => {
    const fault = Object.assign(new Error('x is undefined'), { code: 'InternalFailure' });
    answers.BatchCheckLayerAvailability = refusing(fault);
    const { port, lines, end } = await open();
    expect(await failureOf(port.hasBlob(repositoryName, digest))).toBe(fault);
    end(500, 'InternalFailure');
    expect(lines).toMatchObject([
      { operation: 'BatchCheckLayerAvailability', status: 500, error: undefined },
    ]);
  });
});

describe('an upload that begins', () => {
  it('is decided about as its first byte is, and nothing is begun at ECR', async () => {
    const { port, lines, end } = await open();
    expect(await port.begin(repositoryName)).toEqual({
      reference: expect.stringMatching(/^0-/),
      position: 0,
    });
    const decided = await Promise.all(
      decide.mock.calls.map(async ([call]) => [call.operation, await call.readMembers()]),
    );
    expect(decided).toEqual([
      [
        'UploadLayerPart',
        {
          ...{ repositoryName, uploadId: 'none', partFirstByte: 0, partLastByte: 0 },
          layerPartBlob: new Uint8Array(1),
        },
      ],
      ['InitiateLayerUpload', { repositoryName }],
    ]);
    const nobodys = digestOf('of nothing that is ever pushed');
    expect(await asked()).toEqual([
      ['BatchCheckLayerAvailability', { repositoryName, layerDigests: [nobodys] }],
    ]);
    end(202);
    expect(lines[0]?.operation).toBe('InitiateLayerUpload');
  });

  it('counts and logs what its client asked for, and not what this endpoint asks for itself', async () => {
    decide.mockImplementation(async ({ operation, record }) => {
      record.count('Bytes', 1);
      record.add({ [operation]: true });
    });
    serve.mockImplementation(async ({ record }) => {
      record.add({ availability: true });
      record.count('Resumes');
      return { layers: [], failures: [] };
    });
    const { port, lines, end } = await open();
    await port.begin(repositoryName);
    end(202);
    expect(lines[0]?.members).toMatchObject({ UploadLayerPart: true, InitiateLayerUpload: true, bytes: 1 });
    expect(lines[0]?.members).not.toHaveProperty('availability');
    expect(lines[0]?.counts).toEqual({ Bytes: 1 });
  });

  it('is refused where the policy does not let its bytes in', async () => {
    const error = new ProxyError('AccessDeniedException', 'the policy says no');
    decide.mockRejectedValueOnce(error);
    const { port } = await open();
    expect(await failureOf(port.begin(repositoryName))).toBe(error);
    expect(serve).not.toHaveBeenCalled();
  });

  it('may be of one who may not ask after layers', async () => {
    answers.BatchCheckLayerAvailability = refusing(new ProxyError('AccessDeniedException'));
    const { port } = await open();
    expect(await port.begin(repositoryName)).toMatchObject({ position: 0 });
  });

  it.each([
    new ProxyError('ServerException'),
    Object.assign(new Error('another’s'), { code: 'AccessDeniedException' }),
  ])('is refused where its repository cannot be asked after: %s', async (error) => {
    answers.BatchCheckLayerAvailability = refusing(error);
    const { port } = await open({ patience: { attemptMs: 1, budgetMs: -1, pauseMs: () => 0 } });
    expect(await failureOf(port.begin(repositoryName))).toBe(error);
  });

  it('in a repository that is not there is told who makes one', async () => {
    const cause = new ProxyError('RepositoryNotFoundException', 'ECR’s words');
    answers.BatchCheckLayerAvailability = refusing(cause);
    const { port, lines, end } = await open();
    const error = await failureOf(port.begin(repositoryName));
    expect(error).toBeInstanceOf(PortError);
    expect(error).toMatchObject({
      ...{ code: 'RepositoryNotFoundException', cause },
      message:
        'There is no repository team-a/app in this registry, and a push makes none. The registry’s operator creates it.',
    });
    end(404, 'RepositoryNotFoundException');
    expect(lines[0]?.error).toBe(error);
  });
});

describe('the bytes of an upload', () => {
  it('go to ECR, and the answer says where it goes on', async () => {
    const { port, lines, end } = await open();
    const { reference } = await port.begin(repositoryName);
    serve.mockClear();
    const length = bytes.length;
    expect(await port.append(repositoryName, reference, bodyOf(bytes))).toEqual({
      ...{ reference: `${length}-aa`, position: length },
    });
    expect(await asked()).toMatchObject([
      ['InitiateLayerUpload', { repositoryName }],
      ['UploadLayerPart', { repositoryName, uploadId: 'aa', partFirstByte: 0, partLastByte: length - 1 }],
    ]);
    end(202);
    expect(lines[0]?.operation).toBe('InitiateLayerUpload');
  });

  it('that are not the last may not be few, after an answer that was lost', async () => {
    answers.UploadLayerPart = refusing(
      new ProxyError('InvalidLayerPartException', '', { members: { lastValidByteReceived: 9 } }),
    );
    const { port } = await open();
    const eight = () => bodyOf(bytes.subarray(0, 8));
    expect(await failureOf(port.append(repositoryName, '5-aa', eight()))).toMatchObject({
      ...{ code: 'InvalidLayerPartException', uploadState: { position: 10 } },
    });
    expect(serve).toHaveBeenCalledTimes(1);
    await failureOf(port.finish(repositoryName, '5-aa', digest, eight()));
    expect(serve).toHaveBeenCalledTimes(3);
  });

  it('can be asked after', async () => {
    const { port, lines, end } = await open();
    expect(await port.status(repositoryName, '7-aa')).toEqual({ reference: '7-aa', position: 7 });
    expect(await asked()).toMatchObject([
      ['UploadLayerPart', { repositoryName, uploadId: 'aa', partFirstByte: 7, partLastByte: 6 }],
    ]);
    end(204);
    expect(lines[0]?.operation).toBe('UploadLayerPart');
  });

  it('that nobody began are refused by every request', async () => {
    const { port, lines, end } = await open();
    const error = new ProxyError('UploadNotFoundException');
    for (const work of [
      () => port.append(repositoryName, 'x', noBody),
      () => port.finish(repositoryName, 'x', digest, noBody),
      () => port.status(repositoryName, 'x'),
    ]) {
      expect(await failureOf(work())).toEqual(error);
    }
    end(404, 'UploadNotFoundException');
    expect(lines[0]?.error).toMatchObject({ code: 'UploadNotFoundException' });
  });

  it('are forgotten by ECR in its own time', async () => {
    const { port } = await open();
    await port.cancel(repositoryName, '7-aa');
    expect(serve).not.toHaveBeenCalled();
  });
});

describe('an upload that ends', () => {
  const completed = ['CompleteLayerUpload', { repositoryName, uploadId: 'aa', layerDigests: [digest] }];

  it('is completed under its digest, once its bytes are at ECR', async () => {
    const { port, lines, end } = await open();
    await port.finish(repositoryName, `0-${'a'.repeat(36)}`, digest, bodyOf(bytes));
    expect((await asked()).map(([operation]) => operation)).toEqual([
      ...['InitiateLayerUpload', 'UploadLayerPart', 'CompleteLayerUpload'],
    ]);
    expect((await asked()).at(-1)).toEqual(completed);
    end(201);
    expect(lines[0]?.operation).toBe('CompleteLayerUpload');
  });

  it('as a layer that ECR has already is a success', async () => {
    answers.CompleteLayerUpload = refusing(new ProxyError('LayerAlreadyExistsException'));
    const { port } = await open();
    await port.finish(repositoryName, '7-aa', digest, noBody);
    expect(await asked()).toEqual([completed]);
  });

  it('as another layer is refused', async () => {
    const error = new ProxyError('InvalidLayerException');
    answers.CompleteLayerUpload = refusing(error);
    const { port } = await open();
    expect(await failureOf(port.finish(repositoryName, '7-aa', digest, noBody))).toBe(error);
  });

  it('without any byte is refused', async () => {
    const { port } = await open();
    expect(await failureOf(port.finish(repositoryName, `0-${'a'.repeat(36)}`, digest, noBody))).toEqual(
      new ProxyError('EmptyUploadException', 'The upload has no bytes, and ECR takes no empty layer.'),
    );
    expect(serve).not.toHaveBeenCalled();
  });

  const forgotten = new ProxyError('UploadNotFoundException');

  it('after it was completed, as that answer was lost, asks whether its layer is there', async () => {
    answers.UploadLayerPart = refusing(forgotten);
    answers.CompleteLayerUpload = refusing(new ProxyError('LayerAlreadyExistsException'));
    const { port } = await open();
    await port.finish(repositoryName, '7-aa', digest, bodyOf(bytes));
    expect((await asked()).at(-1)).toEqual(completed);
    answers.CompleteLayerUpload = refusing(forgotten);
    expect(await failureOf(port.finish(repositoryName, '7-aa', digest, bodyOf(bytes)))).toBe(forgotten);
  });

  it('and was never begun does not ask that', async () => {
    answers.InitiateLayerUpload = refusing(forgotten);
    const { port } = await open();
    async function* inTwo() {
      yield bytes;
      await new Promise((resolve) => setImmediate(resolve));
      yield bytes;
    }
    const incoming = { first: undefined, length: undefined, chunks: inTwo() };
    expect(await failureOf(port.finish(repositoryName, `0-${'a'.repeat(36)}`, digest, incoming))).toBe(
      forgotten,
    );
    expect((await asked()).map(([operation]) => operation)).toEqual(['InitiateLayerUpload']);
  });

  it.each([new ProxyError('InternalFailure'), new Error('the client has gone away')])(
    'by a body that fails otherwise is not completed: %s',
    async (error) => {
      answers.UploadLayerPart = refusing(error);
      const { port } = await open();
      expect(await failureOf(port.finish(repositoryName, '7-aa', digest, bodyOf(bytes)))).toBe(error);
      expect(serve).toHaveBeenCalledTimes(1);
    },
  );

  it('when ECR is slow is answered in time, and its late failure is logged', async () => {
    const { promise, reject } = Promise.withResolvers<never>();
    const unanswered = new Unanswered();
    answers.CompleteLayerUpload = () => promise;
    const { port, lines } = await open({ answerMs: 1, unanswered });
    expect(await failureOf(port.finish(repositoryName, '7-aa', digest, noBody))).toMatchObject({
      code: 'ServiceUnavailableException',
    });
    const failure = new ProxyError('InvalidLayerException');
    reject(failure);
    await unanswered.ended();
    expect(lines[0]?.warnings).toEqual([['what went on after its answer has failed', failure]]);
  });

  it('and bytes that ECR is slow to take are answered in time', async () => {
    answers.UploadLayerPart = () => new Promise(() => {});
    const { port } = await open({ answerMs: 1 });
    const slow = port.append(repositoryName, `0-${'a'.repeat(36)}`, bodyOf(bytes));
    expect(await failureOf(slow)).toMatchObject({ code: 'ServiceUnavailableException' });
  });
});

describe('a blob', () => {
  const layer = (layerDigest: string, layerAvailability: string) => ({
    layerDigest,
    layerAvailability,
    layerSize: 7,
  });

  it('is there where ECR says so of its digest', async () => {
    answers.BatchCheckLayerAvailability = () => ({
      layers: [layer(digestOf('another'), 'UNAVAILABLE'), layer(digest, 'AVAILABLE')],
    });
    const { port, lines, end } = await open();
    expect(await port.hasBlob(repositoryName, digest)).toEqual({ size: 7 });
    expect(await asked()).toEqual([
      ['BatchCheckLayerAvailability', { repositoryName, layerDigests: [digest] }],
    ]);
    end(200);
    expect(lines[0]?.operation).toBe('BatchCheckLayerAvailability');
  });

  it.each([[[]], [[layer(digest, 'UNAVAILABLE')]], [[layer(digestOf('another'), 'AVAILABLE')]]])(
    'is not there where ECR says %j',
    async (layers) => {
      answers.BatchCheckLayerAvailability = () => ({ layers });
      const { port } = await open();
      expect(await port.hasBlob(repositoryName, digest)).toBeUndefined();
    },
  );

  it('is read', async () => {
    answers.GetDownloadUrlForLayer = () => ({ downloadUrl: 'https://bucket.test/' });
    const { port, lines, end } = await open();
    expect(await port.getBlob(repositoryName, digest)).toEqual({ url: 'https://bucket.test/' });
    end(307);
    expect(lines[0]?.operation).toBe('GetDownloadUrlForLayer');
  });
});

describe('an image', () => {
  const image = { tag: '1.0', digest, mediaType: 'application/vnd.oci.image.manifest.v1+json', bytes };

  it.each([
    ['ecr', true],
    ['ecr-public', false],
  ] as const)('is put into %s, which lists referrers: %s', async (registry, listsReferrers) => {
    answers.PutImage = () => ({ image: { imageId: {} } });
    const { port, lines, end } = await open({ registry });
    expect(await port.putManifest(repositoryName, image)).toEqual({ listsReferrers });
    expect(await asked()).toEqual([
      [
        'PutImage',
        {
          ...{ repositoryName, imageManifest: String(bytes), imageManifestMediaType: image.mediaType },
          ...{ imageTag: '1.0', imageDigest: digest },
        },
      ],
    ]);
    end(201);
    expect(lines[0]?.operation).toBe('PutImage');
  });

  it('that is there already is put', async () => {
    answers.PutImage = refusing(new ProxyError('ImageAlreadyExistsException'));
    const { port } = await open();
    expect(await port.putManifest(repositoryName, image)).toEqual({ listsReferrers: true });
    const error = new ProxyError('ImageTagAlreadyExistsException');
    answers.PutImage = refusing(error);
    expect(await failureOf(port.putManifest(repositoryName, image))).toBe(error);
  });

  it('is read, and so are tags and referrers', async () => {
    answers.BatchGetImage = () => ({ images: [], failures: [{ failureCode: 'ImageNotFound' }] });
    answers.ListImages = () => ({ imageIds: [{ imageTag: 'a' }] });
    answers.ListImageReferrers = () => ({ referrers: [] });
    const queued = vi.fn();
    const manifestReads = Object.assign(pLimit(1), {});
    const counted = new Proxy(manifestReads, {
      apply: (target, self, given: Parameters<typeof manifestReads>) => {
        queued();
        return Reflect.apply(target, self, given);
      },
    });
    const reads: [
      OperationName,
      (port: Awaited<ReturnType<typeof open>>['port']) => Promise<unknown>,
      unknown,
    ][] = [
      ['BatchGetImage', (port) => port.getManifest(repositoryName, { tag: '1.0' }), undefined],
      ['ListImages', (port) => port.listTags(repositoryName), ['a']],
      ['ListImageReferrers', (port) => port.listReferrers(repositoryName, digest, 'b'), []],
    ];
    for (const [operation, read, expected] of reads) {
      serve.mockClear();
      const { port, lines, end } = await open({ manifestReads: counted });
      expect(await read(port)).toEqual(expected);
      expect(await asked()).toMatchObject([[operation, { repositoryName }]]);
      end(200);
      expect(lines[0]?.operation).toBe(operation);
    }
    expect(queued).toHaveBeenCalledTimes(1);
  });
});

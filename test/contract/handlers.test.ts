import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { partSize as P } from '../../api/limits.ts';
import { operationNames } from '../../api/operations.ts';
import { awsHandler, resourceHandler } from '../../lambda/gateway/handler.ts';
import { seal } from '../../lambda/upload/seal.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { manifestOf } from '../support/manifests.ts';
import { policiesOf } from '../support/policy-directory.ts';
import { awsEvent, lambdaContext, proxyEvent } from '../support/proxy-event.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { type ResourceApi, resourceApi, tokens } from '../support/resource-api.ts';

let proxy: InProcess;
let client: ResourceApi;
async function open(options?: Parameters<typeof startInProcess>[0]) {
  proxy = await startInProcess(options);
  client = resourceApi(proxy.send);
}

/** The lines of a log, each of them JSON. */
const parsed = (log: string) =>
  log
    .split('\n')
    .filter(Boolean)
    .map((line): unknown => JSON.parse(line));

/** What the functions write to standard output from now on, as CloudWatch Logs would have it. */
function captureLog() {
  const lines: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    lines.push(String(chunk));
    return true;
  });
  return () => lines.join('');
}

beforeEach(() => {
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await proxy.close();
});

describe('the log', () => {
  beforeEach(async () => {
    vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'DEBUG');
    captureLog(); // What is written before a test captures its own is of no interest.
    await open();
  });

  it('has one line for a request: who, what, where, what was decided by which policies, and what came of it', async () => {
    const uploadId = await client.begin();
    const log = captureLog();
    await client.uploadPart(uploadId, 0, randomBytes(10));
    expect(parsed(log())).toEqual([
      expect.objectContaining({
        message: 'request',
        requestId: expect.any(String),
        sourceIp: expect.any(String),
        principal: 'Client::team-a-ci',
        operation: 'UploadLayerPart',
        registry: 'ecr',
        registryId: '123456789012',
        repositoryName: 'team-a/app',
        decision: 'allow',
        policies: ['team-a-pushes'],
        bytes: 10,
        partFirstByte: 0,
        status: 200,
        durationMs: expect.any(Number),
      }),
    ]);
  });

  it('has one line for a request that is refused, with as much as was found out until then', async () => {
    const log = captureLog();
    await resourceApi(proxy.send, 'eup_team-a-ci_unknown').initiate();
    await client.initiate({ repositoryName: 'Not A Name' });
    await client.initiate({ repositoryName: 'team-b/app' });
    await client.uploadPart('unsealed', 0, randomBytes(10));
    expect(parsed(log())).toEqual([
      expect.objectContaining({
        code: 'UnrecognizedClientException',
        status: 401,
        operation: 'InitiateLayerUpload',
      }),
      expect.objectContaining({
        code: 'InvalidParameterException',
        status: 400,
        principal: 'Client::team-a-ci',
      }),
      expect.objectContaining({
        code: 'AccessDeniedException',
        status: 403,
        decision: 'deny',
        repositoryName: 'team-b/app',
      }),
      expect.objectContaining({ code: 'UploadNotFoundException', status: 404, decision: 'allow' }),
    ]);
  });

  it('has nothing in it of an earlier request that was cancelled and still runs', async () => {
    const { tokens: checkers } = proxy.services;
    const { readSecret } = checkers;
    const held = Promise.withResolvers<void>();
    vi.spyOn(checkers, 'readSecret')
      .mockImplementationOnce(async () => {
        await held.promise;
        return readSecret();
      })
      .mockImplementationOnce(async () => {
        held.resolve();
        await sleep(400);
        return readSecret();
      });
    // The functions give up a second and a half before their time is over.
    expect((await resourceApi(proxy.sendWithin(2_000)).initiate()).status).toBe(504);
    const log = captureLog();
    await resourceApi(proxy.send, 'eup_team-a-ci_unknown').initiate();
    const [line] = parsed(log());
    expect(line).toMatchObject({ code: 'UnrecognizedClientException', status: 401 });
    for (const member of ['principal', 'repositoryName', 'decision']) {
      expect(line).not.toHaveProperty(member);
    }
  });

  it('holds no name of a member that may be something else', async () => {
    const log = captureLog();
    await client.initiate({ [tokens.a]: 1, registryID: 1 });
    expect(log()).toContain('registryID: expected nothing');
    expect(log()).toContain('(another member): expected nothing');
    expect(log()).not.toContain(tokens.a);
  });

  it('says which image was put under which tag', async () => {
    const log = captureLog();
    const imageManifest = '{}';
    await client.putImage({ imageManifest, imageTag: '1.0' });
    expect(parsed(log())).toEqual([
      expect.objectContaining({
        imageTag: '1.0',
        imageDigest: digestOf(imageManifest),
        code: expect.any(String),
      }),
    ]);
  });

  it('never holds a token, a layer’s bytes or a manifest, whatever goes wrong', async () => {
    const log = captureLog();
    const marked = Buffer.from(`LAYER-BYTES-${'x'.repeat(100)}`);
    const uploadId = await client.begin();
    await client.uploadPart(uploadId, 0, marked);
    await client.uploadPart(uploadId, 5, marked);
    await client.uploadPart(uploadId, 0, marked, 7);
    await client.complete(uploadId, digestOf('another'));
    await client.putImage({ imageManifest: 'MANIFEST-TEXT' });
    await proxy.send('/ecr/layer-uploads', {
      method: 'POST',
      headers: { authorization: `Bearer ${tokens.a}`, 'content-type': 'application/json' },
      body: '{"LAYER-BYTES',
    });
    await resourceApi(proxy.send, 'eup_team-a-ci_STOLEN').initiate();
    await proxy.arm({ fault: 'drop-before', times: 9, operation: 'UploadLayerPart' });
    await client.uploadPart(uploadId, 0, marked);
    const text = log();
    expect(text).toContain('ServiceUnavailableException');
    for (const secret of [
      tokens.a,
      'STOLEN',
      'LAYER-BYTES',
      marked.toString('base64').slice(4, 40),
      'MANIFEST-TEXT',
    ]) {
      expect(text).not.toContain(secret);
    }
  });

  it('says what a policy in audit mode would have refused, and counts it', async () => {
    await proxy.close();
    vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
    const policyDirectory = policiesOf({
      'audit.cedar':
        '@id("all") permit (principal, action, resource);' +
        '@id("soon") @mode("audit") forbid (principal, action, resource);',
    });
    await open({ policyDirectory, metrics: true });
    const log = captureLog();
    const emitted = vi.spyOn(console, 'log').mockReturnValue();
    expect((await client.initiate()).status).toBe(201);
    expect(parsed(log())).toContainEqual(
      expect.objectContaining({
        decision: 'allow',
        policies: ['all'],
        audit: { decision: 'deny', policies: ['soon'] },
      }),
    );
    expect(JSON.stringify(emitted.mock.calls) + log()).toContain('AuditWouldRefuse');
  });

  it('denies where a policy fails, says so, and counts it', async () => {
    await proxy.close();
    vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
    const policyDirectory = policiesOf({
      'failing.cedar':
        '@id("all") permit (principal, action, resource);' +
        '@id("odd") forbid (principal, action, resource) when { 9223372036854775807 + (if resource.name like "*" then 1 else 0) > 0 };',
    });
    await open({ policyDirectory, metrics: true });
    const log = captureLog();
    const emitted = vi.spyOn(console, 'log').mockReturnValue();
    expect((await client.initiate()).status).toBe(403);
    expect(parsed(log())).toContainEqual(
      expect.objectContaining({
        decision: 'deny',
        policyErrors: [expect.stringMatching(/^odd: .*overflow/)],
      }),
    );
    expect(JSON.stringify(emitted.mock.calls) + log()).toContain('PolicyErrors');
  });

  it('says of a refusal by ECR what the client is not told', async () => {
    const uploadId = await client.begin();
    await proxy.arm({ fault: 'access-denied', operation: 'UploadLayerPart' });
    const log = captureLog();
    const { status, body } = await client.uploadPart(uploadId, 0, randomBytes(10));
    expect(status).toBe(502);
    expect(JSON.stringify(body)).not.toContain('not authorized');
    expect(log()).toContain('not authorized');
  });
});

describe('the address of a layer', () => {
  it('is in the answer, and in no line of the log: everybody who has it can read the layer', async () => {
    vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'DEBUG');
    const log = captureLog();
    await open({ metrics: true });
    const layer = randomBytes(10);
    const uploadId = await client.begin();
    await client.uploadPart(uploadId, 0, layer);
    await client.complete(uploadId, digestOf(layer));
    await client.putImage({ imageManifest: manifestOf(layer, [layer]) });
    const path = `/layers/${encodeURIComponent(digestOf(layer))}/download-url`;
    const { body } = await client.get(path, { repositoryName: 'team-a/app' });
    const { origin, search } = new URL(String(body.downloadUrl));
    expect((await fetch(String(body.downloadUrl))).status).toBe(200);
    expect(log()).toContain('"operation":"GetDownloadUrlForLayer"');
    for (const secret of [search, new URLSearchParams(search).get('X-Amz-Signature') ?? search, origin]) {
      expect(log()).not.toContain(secret);
    }
  });
});

describe('a body', () => {
  beforeEach(() => open());

  it.each(operationNames)('is not looked at before the token is known: %s', async (operation) => {
    const headers = {
      authorization: 'Bearer eup_team-a-ci_unknown',
      'x-amz-security-token': 'eup_a_unknown',
    };
    const handlers = [
      [resourceHandler(operation, proxy.services), proxyEvent(operation, { headers })],
      [awsHandler(proxy.services), awsEvent(operation, { headers: { ...headers, authorization: '' } })],
    ] as const;
    for (const [handler, event] of handlers) {
      const read = vi.fn(() => '{}');
      Object.defineProperty(event, 'body', { get: read, enumerable: true });
      const { body } = await handler(event, lambdaContext());
      expect(body).toContain('UnrecognizedClientException');
      expect(read).not.toHaveBeenCalled();
    }
  });

  it('of tens of thousands of unknown members is answered, and logged, in few words', async () => {
    vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'DEBUG');
    await proxy.close();
    await open();
    const log = captureLog();
    const unknown = Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`k${index}`, 1]));
    expect((await client.initiate(unknown)).body).toMatchObject({
      detail: expect.stringMatching(/^\(another member\): expected nothing/),
    });
    const many = Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`k${index}`, 1]));
    const { status, body } = await client.initiate(many);
    expect({ status, detail: body.detail }).toEqual({
      status: 400,
      detail: 'body: expected 16384 bytes at most',
    });
    for (const line of log().split('\n')) {
      expect(line.length).toBeLessThan(1_000);
    }
  });

  it('of a manifest is in no log, not its names either', async () => {
    vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'DEBUG');
    await proxy.close();
    await open();
    const log = captureLog();
    const put = (annotations: object) =>
      client.putImage({ imageManifest: manifestOf(Buffer.from('{}'), [], { annotations }) });
    await put({ [`MANIFEST-TEXT${'x'.repeat(700_000)}`]: 1 });
    await put({ a: 'MANIFEST-TEXT' });
    expect(log()).toContain('imageDigest');
    expect(log()).not.toContain('MANIFEST-TEXT');
  });
});

describe('a staged part that is lost', () => {
  beforeEach(() => open());

  it('is asked for again: the client gets its position, and the layer arrives', async () => {
    const layer = randomBytes(4 * P);
    const uploadId = await client.begin();
    for (const part of [0, 1, 2]) {
      await client.uploadNth(uploadId, layer, part);
    }
    const key = ['ecr', '123456789012', 'team-a/app', uploadId.slice(0, 36)].join('/');
    expect((await fetch(`${proxy.s3.url}/staging/${key}`, { method: 'DELETE' })).status).toBe(204);
    expect(await client.uploadNth(uploadId, layer, 3)).toMatchObject({
      status: 416,
      body: { lastValidByteReceived: 2 * P - 1 },
    });
    for (const part of [2, 3]) {
      expect((await client.uploadNth(uploadId, layer, part)).status).toBe(200);
    }
    expect((await client.complete(uploadId, digestOf(layer))).status).toBe(201);
  });

  it('takes with it what the upload was completed with: no digest is then said to be its own', async () => {
    const layer = randomBytes(10);
    const uploadId = await client.begin();
    await client.uploadNth(uploadId, layer, 0);
    expect((await client.complete(uploadId, digestOf(layer))).status).toBe(201);
    const key = ['ecr', '123456789012', 'team-a/app', uploadId.slice(0, 36)].join('/');
    expect((await fetch(`${proxy.s3.url}/staging/${key}`, { method: 'DELETE' })).status).toBe(204);
    for (let time = 0; time < 3; time++) {
      expect((await client.complete(uploadId, digestOf(layer))).status).toBe(409);
    }
  });

  it('holds no byte of the layer once it is complete', async () => {
    const layer = randomBytes(3 * P);
    const uploadId = await client.begin();
    for (const part of [0, 1, 2]) {
      await client.uploadNth(uploadId, layer, part);
    }
    await client.complete(uploadId, digestOf(layer));
    const key = ['ecr', '123456789012', 'team-a/app', uploadId.slice(0, 36)].join('/');
    const staged = await fetch(`${proxy.s3.url}/staging/${key}`, { method: 'HEAD' });
    expect(staged.status).toBe(200);
    // What makes the write a version of its own.
    expect(staged.headers.get('content-length')).toBe('16');
  });
});

describe('a layer of 8 pairs', () => {
  it('costs per pair two requests, one ECR call, two PUTs, a GET and a HEAD, as decision 0001 says', async () => {
    await open();
    const pairs = 8;
    const layer = randomBytes(2 * pairs * P);
    const uploadId = await client.begin();
    for (let part = 0; part < 2 * pairs; part++) {
      await client.uploadNth(uploadId, layer, part);
    }
    const requests: unknown = await (await fetch(`${proxy.ecrUrl}/_requests`)).json();
    expect(requests).toMatchObject({ operations: { 'ecr:UploadLayerPart': pairs } });
    expect(proxy.s3.requests).toEqual({ PUT: 2 * pairs, GET: pairs, HEAD: pairs });
    await client.complete(uploadId, digestOf(layer));
    expect(proxy.s3.requests).toEqual({ PUT: 2 * pairs + 1, GET: pairs + 1, HEAD: pairs });
  });
});

describe('a layer under the part size', () => {
  it('stages no byte: its completion costs a GET and a PUT of S3, and ECR is asked three times', async () => {
    await open();
    const layer = randomBytes(P - 1);
    const uploadId = await client.begin();
    await client.uploadNth(uploadId, layer, 0);
    expect(proxy.s3.requests).toEqual({});
    await client.complete(uploadId, digestOf(layer));
    expect(proxy.s3.requests).toEqual({ GET: 1, PUT: 1 });
    const requests: unknown = await (await fetch(`${proxy.ecrUrl}/_requests`)).json();
    expect(requests).toMatchObject({ total: 3 });
  });
});

describe('an upload that began when the part size was another', () => {
  it('continues with the part size that InitiateLayerUpload answered, up to its end', async () => {
    await open();
    const size = 3 * 1_048_576;
    const { authority, upstream } = proxy.services;
    const registryId = authority.accounts.own;
    const repository = { registryId, repositoryName: 'team-a/app' };
    const { signal } = new AbortController();
    const { uploadId: ecrUploadId = '' } = await upstream.ecr.ecr.InitiateLayerUpload(repository, signal);
    const { sealingKey } = await authority.readSecret();
    const principal = { type: 'Client', id: 'team-a-ci' } as const;
    const upload = { uploadId: ecrUploadId, sending: { pairsOf: size } };
    const uploadId = seal(sealingKey, upload, { principal, registry: 'ecr', ...repository });

    const layer = randomBytes(4 * size + 5);
    const send = (first: number) => client.uploadPart(uploadId, first, layer.subarray(first, first + size));
    expect((await client.uploadPart(uploadId, 0, layer.subarray(0, P))).status).toBe(413);
    for (let first = 0; first < layer.length; first += size) {
      expect((await send(first)).status).toBe(200);
    }
    const requests: unknown = await (await fetch(`${proxy.ecrUrl}/_requests`)).json();
    // Two pairs, the rest, and the question how far the upload is, for the refusal of the size.
    expect(requests).toMatchObject({ operations: { 'ecr:UploadLayerPart': 4 } });
    expect((await client.complete(uploadId, digestOf(layer))).status).toBe(201);
  });
});

describe('what is behind the proxy', () => {
  it('that does not answer in time is answered with 504, and not waited for', async () => {
    await open();
    const timeoutMs = 6_000;
    const delayMs = 40_000;
    await proxy.arm({ fault: 'delay', delayMs, operation: 'InitiateLayerUpload', times: 9 });
    const hurried = resourceApi(proxy.sendWithin(timeoutMs));
    const started = performance.now();
    expect(await hurried.initiate()).toMatchObject({
      status: 504,
      body: { code: 'GatewayTimeoutException' },
    });
    expect(performance.now() - started).toBeLessThan(delayMs);
  });

  it('that cannot be reached is answered 503: S3', async () => {
    await open();
    const uploadId = await client.begin();
    await proxy.s3.close();
    const { status, headers } = await client.uploadPart(uploadId, 0, randomBytes(P));
    expect(status).toBe(503);
    expect(headers.get('retry-after')).not.toBeNull();
  });
});

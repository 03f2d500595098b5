// The client of the resource API: what it takes as an endpoint and a token, and what it makes of answers.

import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ProxyClient, type TokenSource } from '../../client/proxy-client.ts';
import { problemOf } from '../../client/refusals.ts';
import { requestOf } from '../../client/request.ts';
import { TokenProblem } from '../../client/token-problem.ts';
import { noAnswerProblem } from '../../client/unanswered.ts';
import { begin, problem, repositoryName } from '../support/scenes.ts';
import { playScript, type Reply, type ScriptedApi } from '../support/scripted-api.ts';

const token = 'eup_team-a-ci_s3cr3t';

/** What a request that is answered so throws. */
async function failure(reply: Reply, tokenSource: TokenSource = token): Promise<unknown> {
  const api = await playScript([{ ...begin(1), reply }]);
  const client = new ProxyClient({ endpoint: api.url, token: tokenSource, timeoutMs: 300 });
  return client.send('InitiateLayerUpload', { repositoryName }).catch((error: unknown) => error);
}

describe('a request', () => {
  it('follows the operation table, behind any path of the endpoint', () => {
    const members = { repositoryName, uploadId: 'a/b', layerDigests: ['sha256:1'], registryId: undefined };
    const { url, method, body } = requestOf(
      new URL('https://x.test/prod/'),
      'ecr-public',
      'CompleteLayerUpload',
      members,
    );
    expect([method, url.href]).toEqual([
      'POST',
      'https://x.test/prod/ecr-public/layer-uploads/a%2Fb/completion',
    ]);
    expect(body).toBe('{"repositoryName":"team-a/app","layerDigests":["sha256:1"]}');
  });

  it('of a part is its raw bytes', () => {
    const layerPartBlob = Buffer.from('xbytesx').subarray(1, 6);
    const members = {
      repositoryName,
      registryId: '123456789012',
      uploadId: 'u',
      partFirstByte: 7,
      partLastByte: 11,
    };
    const request = requestOf(new URL('https://x.test'), 'ecr', 'UploadLayerPart', {
      ...members,
      layerPartBlob,
    });
    expect(request.url.href).toBe(
      'https://x.test/ecr/layer-uploads/u/parts?repositoryName=team-a%2Fapp&registryId=123456789012',
    );
    expect(request.headers).toEqual({
      'content-type': 'application/octet-stream',
      'content-range': 'bytes 7-11/*',
    });
    expect(Buffer.from(request.body ?? '').toString()).toBe('bytes');
  });

  it('sends a token that is read again each time, trimmed', async () => {
    const api = await playScript([begin(1), begin(1)]);
    const tokens = ['first\n', 'second'];
    const client = new ProxyClient({ endpoint: api.url, token: async () => tokens.shift() ?? '' });
    await client.send('InitiateLayerUpload', { repositoryName });
    await client.send('InitiateLayerUpload', { repositoryName });
    expect(api.authorizations).toEqual(['Bearer first', 'Bearer second']);
  });
});

describe('a token that is refused', () => {
  const refusal = problem(401, 'ExpiredTokenException');
  let api: ScriptedApi;
  const ask = async (replies: Reply[], source: TokenSource) => {
    api = await playScript(replies.map((reply) => ({ ...begin(1), reply })));
    const client = new ProxyClient({ endpoint: api.url, token: source });
    return client.send('InitiateLayerUpload', { repositoryName });
  };

  it('is asked for once more, and what came of it is sent', async () => {
    await ask([refusal, begin(1).reply], (refused) => (refused === 'old' ? 'new' : 'old'));
    expect(api.authorizations).toEqual(['Bearer old', 'Bearer new']);
  });

  it('is not sent again where there is no other', async () => {
    await expect(ask([refusal], () => 'same')).rejects.toMatchObject({ code: 'ExpiredTokenException' });
  });

  it('is asked for once more, and no oftener', async () => {
    let drawn = 0;
    const failed = ask([refusal, refusal], () => `token-${drawn++}`);
    await expect(failed).rejects.toMatchObject({ status: 401 });
  });
});

describe('a failure', () => {
  const rows: [string, Reply, Record<string, unknown>][] = [
    [
      'a problem document',
      problem(416, 'InvalidLayerPartException', { lastValidByteReceived: 9 }),
      {
        status: 416,
        code: 'InvalidLayerPartException',
        lastValidByteReceived: 9,
        requestId: 'r-1',
        retryable: false,
      },
    ],
    [
      'a problem document with Retry-After',
      problem(503, 'ServiceUnavailableException', {}, { 'retry-after': '5' }),
      { status: 503, retryAfterSeconds: 5, retryable: true },
    ],
    [
      'a 416 that names its byte in Range alone',
      problem(416, 'InvalidLayerPartException', {}, { range: 'bytes=0-41' }),
      { lastValidByteReceived: 41 },
    ],
    [
      "API Gateway's own 403, of a path that it does not know",
      {
        status: 403,
        headers: { 'x-amzn-requestid': 'g-1' },
        body: { message: 'Missing Authentication Token' },
      },
      {
        status: 403,
        code: 'UnknownOperationException',
        requestId: 'g-1',
        retryable: false,
        detail: expect.stringContaining('stage'),
      },
    ],
    [
      "a resource policy's 403",
      { status: 403, body: { Message: 'User: anonymous is not authorized' } },
      { status: 403, code: 'AccessDeniedException', detail: expect.stringContaining('anonymous') },
    ],
    [
      "API Gateway's own 413",
      { status: 413, body: { message: 'Request Too Long' } },
      { status: 413, code: 'RequestEntityTooLargeException', retryable: false },
    ],
    [
      "API Gateway's own 429",
      { status: 429, body: { message: 'Too Many Requests' } },
      { status: 429, code: 'ThrottlingException', retryable: true },
    ],
    [
      "API Gateway's own 502",
      { status: 502, body: { message: 'Internal server error' } },
      { status: 502, code: 'ServerException', retryable: true },
    ],
    [
      "API Gateway's own 504",
      { status: 504, body: { message: 'Endpoint request timed out' } },
      { status: 504, code: 'GatewayTimeoutException', retryable: true },
    ],
    [
      'a web page',
      { status: 404, headers: { 'content-type': 'text/html' }, body: '<h1>no</h1>' },
      {
        status: 404,
        code: 'UnexpectedAnswer',
        detail: expect.stringContaining('text/html'),
        retryable: false,
      },
    ],
    ['a redirect', { status: 307, headers: { location: '/' } }, { status: 307, code: 'UnexpectedAnswer' }],
    ['another success', { status: 200, body: {} }, { status: 200, code: 'UnexpectedAnswer' }],
    [
      'a success without its members',
      { status: 201, body: { uploadId: 'u' } },
      { status: 201, code: 'UnexpectedAnswer', retryable: false },
    ],
    ['a dropped connection', 'drop the connection', { status: undefined, code: 'NoAnswer', retryable: true }],
    ['an answer cut off', 'drop amid the answer', { status: undefined, code: 'NoAnswer', retryable: true }],
    ['no answer', 'never answer', { status: undefined, code: 'RequestTimeout', retryable: true }],
  ];
  it.each(rows)('such as %s is one class', async (_, reply, members) => {
    expect(await failure(reply)).toMatchObject({ name: 'ProxyProblem', ...members });
  });

  it.each([
    ['ECONNREFUSED', true],
    ['ECONNRESET', true],
    ['UND_ERR_SOCKET', true],
    ['EAI_AGAIN', true],
    ['ENOTFOUND', false],
    ['CERT_HAS_EXPIRED', false],
    ['SELF_SIGNED_CERT_IN_CHAIN', false],
  ])('of the network, %s, is retryable: %s', (code, retryable) => {
    const cause = Object.assign(new Error('the reason'), { code });
    const thrown = noAnswerProblem(new TypeError('fetch failed', { cause }), 'x.test');
    expect(thrown).toMatchObject({ code: 'NoAnswer', retryable, status: undefined });
    expect(thrown.message).toBe(`NoAnswer: no answer from x.test: ${code}, the reason`);
  });

  it('reads Retry-After as a date as well', () => {
    const headers = new Headers({ 'retry-after': new Date(Date.now() + 30_000).toUTCString() });
    const seconds = problemOf(503, headers, '{}').retryAfterSeconds;
    expect([29, 30, 31]).toContain(seconds);
  });

  it('is not mangled by a token as short as a word', async () => {
    const refusal = problem(401, 'UnrecognizedClientException', { detail: 'Send a token this proxy knows' });
    expect(await failure(refusal, 'x')).toMatchObject({
      code: 'UnrecognizedClientException',
      detail: 'Send a token this proxy knows',
    });
  });

  const echoes: [string, Reply][] = [
    [
      'in a problem document',
      problem(401, 'UnrecognizedClientException', { detail: `unknown: Bearer ${token}` }),
    ],
    ["in API Gateway's words", { status: 403, body: { message: `Authorization header: Bearer ${token}` } }],
    ['in the answer of a success', { status: 201, body: { uploadId: 7, token } }],
    ['not at all', 'drop the connection'],
  ];
  it.each(echoes)('never shows the token that was echoed %s', async (_, reply) => {
    const thrown = await failure(reply);
    expect(thrown).toBeInstanceOf(Error);
    expect(inspect(thrown, { depth: 10, showHidden: true }) + JSON.stringify(thrown)).not.toContain('s3cr3t');
  });

  it.each(['', 'two words', 'line\nbreak s3cr3t', 'schlüssel-s3cr3t'])(
    'never shows a token that is none: %j',
    async (ill) => {
      const client = new ProxyClient({ endpoint: 'http://127.0.0.1:1', token: ill });
      const thrown = await client
        .send('InitiateLayerUpload', { repositoryName })
        .catch((error: unknown) => error);
      expect(thrown).toBeInstanceOf(TokenProblem);
      expect(inspect(thrown, { depth: 10 })).not.toContain('s3cr3t');
    },
  );
});

it.each([
  '',
  'x.test',
  'ftp://x.test',
  'https://user:s3cr3t@x.test',
  'https://x.test/?a=b',
  'https://x.test/#a',
])('the endpoint %j is refused without being shown', (endpoint) => {
  expect(() => new ProxyClient({ endpoint, token })).toThrow(TypeError);
  expect(() => new ProxyClient({ endpoint, token })).not.toThrow('s3cr3t');
});

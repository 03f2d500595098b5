// The local gateway behaves as API Gateway and Lambda are documented to, whatever the functions are.

import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { APIGatewayProxyEvent, Context } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { maxEventBytes, maxPayloadBytes } from '../../api/limits.ts';
import { localAccount } from '../../local/account.ts';
import { startGateway } from '../../local/gateway/gateway.ts';
import { startFunctions } from '../../local/lambda/functions.ts';
import { readTemplate } from '../../local/template/template.ts';
import { writeAssembly } from '../support/cloud-assembly.ts';

/** Gives back what it was called with. */
const echo = `
  let calls = 0;
  export const handler = async (event, context) => ({
    statusCode: 200,
    body: JSON.stringify({
      event, context, calls: ++calls, environment: process.env, left: context.getRemainingTimeInMillis(),
    }),
  });`;

/** Gives back what the body says. */
const answer = 'export const handler = async ({ body }) => JSON.parse(body);';

/** Does what the path says. */
const misbehave = `
  let calls = 0;
  const acts = {
    throw: () => { throw new Error('a fault of the function'); },
    exit: () => process.exit(3),
    hang: () => new Promise(() => { setInterval(() => {}, 1_000); }),
    spin: () => { for (;;); },
    large: () => ({ statusCode: 200, body: 'x'.repeat(6_291_556) }),
    print: () => { console.log('printed by the function'); return { statusCode: 204 }; },
    count: () => ({ statusCode: 200, body: String(++calls) }),
  };
  export const handler = async ({ pathParameters }) => acts[pathParameters.act]();`;

const cdkOut = writeAssembly(
  {
    Echo: {
      source: echo,
      environment: {
        BUCKET: { Ref: 'Bucket' },
        SECRET: { Ref: 'Secret' },
        ACCOUNT: { Ref: 'AWS::AccountId' },
      },
    },
    Answer: { source: answer },
    Misbehave: { source: misbehave, timeoutSeconds: 5 },
    Slow: { source: 'export const handler = () => new Promise(() => setInterval(() => {}, 1_000));' },
    Broken: { source: 'this is not JavaScript' },
  },
  {
    'POST /echo': 'Echo',
    'GET /echo': 'Echo',
    'PUT /uploads/{uploadId}/parts': 'Echo',
    'POST /answer': 'Answer',
    'POST /misbehave/{act}': 'Misbehave',
    'POST /slow': 'Slow',
    'POST /broken': 'Broken',
  },
);
const template = readTemplate(cdkOut, localAccount);
const logFile = join(cdkOut, 'functions.log');
const functions = startFunctions({
  functions: template.functions,
  account: localAccount,
  environment: { AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' },
  logFile,
});

let url: string;
let close: () => Promise<void>;
/** It waits for no function for long. */
let impatient: Awaited<ReturnType<typeof startGateway>>;
beforeAll(async () => {
  const options = { template, account: localAccount, invoke: functions.invoke, port: 0 };
  ({ url, close } = await startGateway(options));
  impatient = await startGateway({ ...options, timeoutMs: 500 });
});
afterAll(async () => {
  await impatient.close();
  await close();
  await functions.close();
});

const post = (
  path: string,
  body: string | Uint8Array<ArrayBuffer> = '',
  headers: Record<string, string> = {},
) => fetch(url + path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });

type Echo = {
  event: APIGatewayProxyEvent;
  context: Context;
  environment: Record<string, string>;
  left: number;
};
const echoOf = async (response: Response): Promise<Echo> => JSON.parse(await response.text());
const eventOf = async (response: Promise<Response>) => (await echoOf(await response)).event;
const answerWith = (result: unknown, headers = {}) => post('/answer', JSON.stringify(result), headers);

/** Headers as they are written, which fetch does not allow. */
async function sendRaw(headers: string[]): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const sent = request(
    `${url}/echo`,
    { method: 'GET', headers: ['Host', 'local', ...headers] },
    (response) => {
      response.toArray().then((chunks) => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
      }, reject);
    },
  );
  sent.on('error', reject).end();
  return promise;
}

describe('routes', () => {
  it.each([
    ['an unknown path', 'POST', '/nowhere'],
    ['another method', 'DELETE', '/echo'],
    ['a method that HTTP does not know', 'PURGE', '/echo'],
    ['a path that goes on', 'POST', '/echo/more'],
    ['a trailing slash', 'POST', '/echo/'],
    ['an empty parameter', 'PUT', '/uploads//parts'],
    ['the root', 'GET', '/'],
  ])('%s is answered 403 Missing Authentication Token', async (_, method, path) => {
    const response = await fetch(url + path, { method });
    expect(response.status).toBe(403);
    expect(response.headers.get('x-amzn-errortype')).toBe('MissingAuthenticationTokenException');
    expect(await response.json()).toEqual({ message: 'Missing Authentication Token' });
  });

  it('a path parameter is one segment, decoded', async () => {
    const path = '/uploads/a%2Fb%20c/parts?x=1&x=2&y=a%2Bb';
    expect(await eventOf(fetch(url + path, { method: 'PUT' }))).toMatchObject({
      resource: '/uploads/{uploadId}/parts',
      path: '/uploads/a%2Fb%20c/parts',
      pathParameters: { uploadId: 'a/b c' },
      queryStringParameters: { x: '2', y: 'a+b' },
      multiValueQueryStringParameters: { x: ['1', '2'], y: ['a+b'] },
    });
  });

  it('a path that cannot be decoded is a bad request', async () => {
    expect((await fetch(`${url}/uploads/%zz/parts`, { method: 'PUT' })).status).toBe(400);
  });
});

describe('the event', () => {
  it('is of format 1.0, with null for what is absent', async () => {
    const event = await eventOf(fetch(`${url}/echo`));
    expect(event).toMatchObject({
      resource: '/echo',
      path: '/echo',
      httpMethod: 'GET',
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
      pathParameters: null,
      stageVariables: null,
      body: null,
      isBase64Encoded: false,
      requestContext: { accountId: '123456789012', httpMethod: 'GET', resourcePath: '/echo' },
    });
    expect(event.requestContext.identity.sourceIp).toBe('127.0.0.1');
  });

  it('the request id is the one that the client gets', async () => {
    const response = await fetch(`${url}/echo`);
    const { event } = await echoOf(response);
    expect(response.headers.get('x-amzn-requestid')).toBe(event.requestContext.requestId);
    expect(response.headers.get('x-amz-apigw-id')).toBe(event.requestContext.extendedRequestId);
  });

  it('header names are as the client wrote them; repeated ones come last and all', async () => {
    const { body } = await sendRaw(['X-Mixed-Case', 'a', 'x-mixed-case', 'b']);
    const { event } = JSON.parse(body);
    expect(event.headers['X-Mixed-Case']).toBe('b');
    expect(event.multiValueHeaders['X-Mixed-Case']).toEqual(['a', 'b']);
  });

  it('bytes of a binary media type arrive in base64', async () => {
    const bytes = Uint8Array.of(0, 255, 128, 10);
    const event = await eventOf(post('/echo', bytes, { 'content-type': 'application/octet-stream' }));
    expect(event).toMatchObject({ body: Buffer.from(bytes).toString('base64'), isBase64Encoded: true });
  });

  it.each(['application/json', 'application/x-amz-json-1.1', 'text/plain', 'APPLICATION/OCTET-STREAM'])(
    '%s arrives as the text that it is',
    async (type) => {
      const event = await eventOf(post('/echo', '{"a":"ä"}', { 'content-type': type }));
      expect(event).toMatchObject({ body: '{"a":"ä"}', isBase64Encoded: false });
    },
  );
});

describe('headers', () => {
  it('a bearer token passes, a signature does not, the session token of a signed call does', async () => {
    const bearer = await eventOf(post('/echo', '', { authorization: 'Bearer abc' }));
    expect(bearer.headers.authorization).toBe('Bearer abc');
    const signed = await eventOf(
      post('/echo', '', {
        authorization: 'AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-central-1/ecr/aws4_request, Signature=0',
        'x-amz-security-token': 'a token',
        'x-amz-target': 'Service.Operation',
      }),
    );
    expect(signed.headers).toMatchObject({
      'x-amz-security-token': 'a token',
      'x-amz-target': 'Service.Operation',
    });
    expect(signed.headers).not.toHaveProperty('authorization');
  });

  it('WWW-Authenticate reaches the client under another name', async () => {
    const response = await answerWith({
      statusCode: 401,
      headers: { 'WWW-Authenticate': 'Basic' },
      body: '',
    });
    expect(response.headers.get('x-amzn-remapped-www-authenticate')).toBe('Basic');
    expect(response.headers.has('www-authenticate')).toBe(false);
  });

  it('more than 10,240 bytes of them are refused', async () => {
    expect((await sendRaw(['X-Long', 'x'.repeat(9_000)])).status).toBe(200);
    expect((await sendRaw(['X-Long', 'x'.repeat(10_240)])).status).toBe(431);
    expect((await sendRaw(['X-Long', 'x'.repeat(20_000)])).status).toBe(431);
  });
});

describe('sizes', () => {
  const octets = { 'content-type': 'application/octet-stream' };

  it('an event of Lambda’s limit is refused, one below passes', async () => {
    const size = 6_000_000;
    const event = JSON.stringify(await eventOf(post('/echo', 'x'.repeat(size))));
    const largest = size + (maxEventBytes - 1 - event.length);
    expect((await post('/echo', 'x'.repeat(largest))).status).not.toBe(413);
    const refused = await post('/echo', 'x'.repeat(largest + 1));
    expect(refused.status).toBe(413);
    expect(await refused.json()).toEqual({ message: 'Request Too Long' });
  });

  it('bytes count as their base64', async () => {
    expect((await post('/echo', new Uint8Array(4_700_000), octets)).status).not.toBe(413);
    expect((await post('/echo', new Uint8Array(4_720_000), octets)).status).toBe(413);
  });

  it('a payload over 10 MB is refused with API Gateway’s own text', async () => {
    const response = await post('/echo', new Uint8Array(maxPayloadBytes + 1), octets);
    expect(response.status).toBe(413);
    expect(response.headers.get('x-amzn-errortype')).toBe('RequestTooLargeException');
    expect(await response.json()).toEqual({ message: 'Request Too Long' });
  });

  it.each([
    ['with its length', maxPayloadBytes + 1, false],
    ['in chunks', maxPayloadBytes + 1, true],
    ['of 60 MB', 60_000_000, false],
  ])('a payload over 10 MB is read to its end before it is refused: %s', async (_, bytes, inChunks) => {
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    const headers = { ...octets, ...(!inChunks && { 'content-length': bytes }) };
    const sent = request(`${url}/echo`, { method: 'POST', headers }, ({ statusCode }) => resolve(statusCode));
    sent.on('error', reject);
    let finished = false;
    sent.end(Buffer.alloc(bytes), () => {
      finished = true;
    });
    expect(await promise).toBe(413);
    expect(finished).toBe(true);
  });

  it('a response over Lambda’s limit is 502', async () => {
    expect((await post('/misbehave/large')).status).toBe(502);
  });
});

describe('functions', () => {
  it('have the template’s environment resolved, Lambda’s own, and nothing of this process', async () => {
    const calledAtMs = performance.now();
    const { environment, context, left } = await echoOf(await post('/echo'));
    const tookMs = performance.now() - calledAtMs;
    expect(environment).toMatchObject({
      BUCKET: 'bucket',
      SECRET: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:Secret-local0',
      ACCOUNT: '123456789012',
      AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1',
      AWS_LAMBDA_FUNCTION_NAME: 'Echo',
      AWS_REGION: 'eu-central-1',
      LAMBDA_TASK_ROOT: join(cdkOut, 'asset.Echo'),
    });
    expect(environment).not.toHaveProperty('VITEST');
    expect(context).toMatchObject({ functionName: 'Echo', memoryLimitInMB: '512' });
    // The template's timeout, less what has passed since the call; rounded to milliseconds on both sides.
    expect(left).toBeLessThanOrEqual(60_000);
    expect(left).toBeGreaterThanOrEqual(60_000 - tookMs - 1);
  });

  it('load once for each instance', async () => {
    const first = Number(await (await post('/misbehave/count')).text());
    expect(Number(await (await post('/misbehave/count')).text())).toBe(first + 1);
  });

  it.concurrent.each(['throw', 'exit', 'hang', 'spin'])(
    'one that does %s is 502, and the next call is served',
    async (act) => {
      const response = await post(`/misbehave/${act}`);
      expect(response.status).toBe(502);
      expect(response.headers.get('x-amzn-errortype')).toBe('InternalServerErrorException');
      expect(await response.json()).toEqual({ message: 'Internal server error' });
      expect((await post('/misbehave/count')).status).toBe(200);
    },
  );

  it.concurrent('one that outlasts API Gateway’s patience is 504', async () => {
    const response = await fetch(`${impatient.url}/slow`, { method: 'POST' });
    expect(response.status).toBe(504);
    expect(await response.json()).toEqual({ message: 'Endpoint request timed out' });
  });

  it('one that does not load is 502 each time', async () => {
    expect((await post('/broken')).status).toBe(502);
    expect((await post('/broken')).status).toBe(502);
  });

  it('print into the log file, with their failures', async () => {
    await post('/misbehave/print');
    await post('/misbehave/throw');
    const log = readFileSync(logFile, 'utf8');
    expect(log).toContain('printed by the function\n');
    expect(log).toContain('a fault of the function');
    expect(log).toContain('Task timed out after 5 seconds');
  });
});

describe('responses', () => {
  it.each([
    ['no object', 'hello'],
    ['nothing', null],
    ['no status', { body: 'x' }],
    ['a status that is none', { statusCode: 'OK', body: 'x' }],
    ['a body that is no text', { statusCode: 200, body: { a: 1 } }],
    ['a header that is an object', { statusCode: 200, headers: { a: {} } }],
  ])('%s is a malformed proxy response: 502', async (_, result) => {
    expect((await answerWith(result)).status).toBe(502);
  });

  it('take their status, headers, repeated headers and body from the function', async () => {
    const response = await answerWith({
      statusCode: 201,
      headers: { 'Content-Type': 'application/problem+json', 'Retry-After': 5 },
      multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] },
      body: '{}',
    });
    expect(response.status).toBe(201);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('retry-after')).toBe('5');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await response.text()).toBe('{}');
  });

  it('are JSON where the function says nothing', async () => {
    const response = await answerWith({ statusCode: 200, body: '{}' });
    expect(response.headers.get('content-type')).toBe('application/json');
  });

  it('in base64 are decoded only for a client that accepts a binary media type first', async () => {
    const result = { statusCode: 200, isBase64Encoded: true, body: 'AP8=' };
    const decoded = await answerWith(result, { accept: 'application/octet-stream' });
    expect([...new Uint8Array(await decoded.arrayBuffer())]).toEqual([0, 255]);
    expect(await (await answerWith(result, { accept: '*/*' })).text()).toBe('AP8=');
  });
});

describe('the template’s own form of an answer', () => {
  const problem = (ResponseType: string, StatusCode: string) => ({
    Type: 'AWS::ApiGateway::GatewayResponse',
    Properties: {
      ResponseType,
      StatusCode,
      ResponseParameters: {
        'gatewayresponse.header.Content-Type': "'application/problem+json'",
        'gatewayresponse.header.WWW-Authenticate': "'Bearer'",
        'gatewayresponse.header.X-Amzn-Errortype': `'Own${ResponseType}'`,
      },
      ResponseTemplates: {
        'application/json': `{"type":"${ResponseType}","requestId":"$context.requestId"}`,
      },
    },
  });
  const customised = readTemplate(
    writeAssembly(
      { Echo: { source: echo }, Misbehave: { source: misbehave } },
      { 'POST /echo': 'Echo', 'POST /misbehave/{act}': 'Misbehave' },
      {
        A: problem('MISSING_AUTHENTICATION_TOKEN', '404'),
        B: problem('REQUEST_TOO_LARGE', '413'),
        C: problem('INTEGRATION_TIMEOUT', '504'),
        D: problem('DEFAULT_5XX', '500'),
        E: problem('DEFAULT_4XX', '400'),
      },
    ),
    localAccount,
  );
  let gateway: Awaited<ReturnType<typeof startGateway>>;
  /** It waits for no function for long. */
  let impatient: Awaited<ReturnType<typeof startGateway>>;
  let custom: ReturnType<typeof startFunctions>;
  beforeAll(async () => {
    custom = startFunctions({
      functions: customised.functions,
      account: localAccount,
      environment: {},
      logFile,
    });
    const options = { template: customised, account: localAccount, invoke: custom.invoke, port: 0 };
    gateway = await startGateway(options);
    impatient = await startGateway({ ...options, timeoutMs: 500 });
  });
  afterAll(async () => {
    await impatient.close();
    await gateway.close();
    await custom.close();
  });

  it.each([
    ['an unknown route', '/nowhere', '', 404, 'MISSING_AUTHENTICATION_TOKEN'],
    ['a body too large for Lambda', '/echo', 'x'.repeat(maxEventBytes), 413, 'REQUEST_TOO_LARGE'],
    ['a function that hangs', '/misbehave/hang', '', 504, 'INTEGRATION_TIMEOUT'],
    ['a function that throws', '/misbehave/throw', '', 500, 'DEFAULT_5XX'],
    ['a path that cannot be decoded', '/%zz', '', 400, 'DEFAULT_4XX'],
  ])('is served for %s', async (_, path, body, status, type) => {
    const { url } = path.endsWith('/hang') ? impatient : gateway;
    const response = await fetch(url + path, { method: 'POST', body });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(response.headers.get('x-amzn-errortype')).toBe(`Own${type}`);
    expect(await response.json()).toEqual({ type, requestId: response.headers.get('x-amzn-requestid') });
  });

  const arm = (body: string, method = 'POST') =>
    fetch(`${gateway.url}/_gateway-faults`, { method, ...(method === 'POST' && { body }) });

  it.each([
    ['THROTTLED', 400, 'DEFAULT_4XX'],
    ['ACCESS_DENIED', 400, 'DEFAULT_4XX'],
    ['WAF_FILTERED', 400, 'DEFAULT_4XX'],
    ['INTEGRATION_FAILURE', 500, 'DEFAULT_5XX'],
    ['INTEGRATION_TIMEOUT', 504, 'INTEGRATION_TIMEOUT'],
    ['DEFAULT_5XX', 500, 'DEFAULT_5XX'],
  ])('is served for %s, which a test arms', async (responseType, status, type) => {
    expect((await arm(JSON.stringify({ responseType, skip: 1 }))).status).toBe(201);
    const call = () => fetch(`${gateway.url}/echo`, { method: 'POST' });
    expect((await call()).status).toBe(200);
    const struck = await call();
    expect(struck.status).toBe(status);
    expect(await struck.json()).toMatchObject({ type });
    expect((await call()).status).toBe(200);
  });

  it('says what may be armed, lists it and disarms it', async () => {
    expect((await arm('{"responseType":"TEAPOT"}')).status).toBe(400);
    expect((await arm('no JSON')).status).toBe(400);
    const fault = { responseType: 'THROTTLED', times: 3, skip: 0 };
    expect(await (await arm(JSON.stringify(fault))).json()).toEqual([fault]);
    expect(await (await arm('', 'DELETE')).json()).toEqual([]);
    expect((await fetch(`${gateway.url}/echo`, { method: 'POST' })).status).toBe(200);
  });

  it('is not served for a body over 10 MB, which is refused before the API is known', async () => {
    const body = new Uint8Array(maxPayloadBytes + 1);
    const response = await fetch(`${gateway.url}/echo`, { method: 'POST', body });
    expect(response.status).toBe(413);
    expect(await response.json()).toEqual({ message: 'Request Too Long' });
  });
});

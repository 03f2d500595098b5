// Session tokens through the gateway and the bundles that deploy: given for either kind of token, taken by both APIs.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ECRClient, InitiateLayerUploadCommand } from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sessionTokenExchange } from '../../api/session-tokens.ts';
import { startInProcess } from '../support/in-process.ts';
import { signToken, startIssuer, type TestIssuer } from '../support/issuer.ts';
import { type LocalStack, startLocalStack } from '../support/local-stack.ts';
import { conform } from '../support/openapi.ts';
import { policiesOf } from '../support/policy-directory.ts';
import { digestOf, randomBytes } from '../support/random-bytes.ts';
import { resourceApi, tokens } from '../support/resource-api.ts';

process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';

const basic = (password: string) => `Basic ${Buffer.from(`any:${password}`).toString('base64')}`;

let issuer: TestIssuer;
let local: LocalStack;
beforeAll(async () => {
  issuer = await startIssuer();
  local = await startLocalStack({
    issuers: [{ issuer: issuer.issuer, audience: ['ecr-upload-proxy'], audienceClaim: 'aud' }],
  });
}, 300_000);
afterAll(async () => {
  await local.close();
  await issuer.close();
});

async function ask(headers: Record<string, string>, init: RequestInit = {}) {
  const request = { method: 'POST', path: '/session-tokens' };
  const response = await local.send(request.path, { method: 'POST', headers, ...init });
  const body = z.record(z.string(), z.unknown()).parse(await response.json());
  const answer = { status: response.status, headers: response.headers, body };
  conform(request, answer);
  return answer;
}

async function exchange(token: string): Promise<string> {
  const { status, body } = await ask({ authorization: basic(token) });
  expect(status).toBe(201);
  return sessionTokenExchange.output.parse(body).sessionToken;
}

const linesOf = (operation: string) =>
  readFileSync(join(local.dataDirectory, 'functions.log'), 'utf8')
    .split('\n')
    .filter((line) => line.includes(`"operation":"${operation}"`) && line.includes('"message":"request"'))
    .map((line): unknown => JSON.parse(line));

describe('POST /session-tokens', () => {
  it.each<[string, Record<string, string>, RequestInit]>([
    ['the password of Basic, as curl -u sends it', { authorization: basic(tokens.a) }, {}],
    ['Bearer', { authorization: `Bearer ${tokens.a}` }, {}],
    ['X-Amz-Security-Token', { 'x-amz-security-token': tokens.a }, {}],
    [
      'Bearer, with a body that nobody reads',
      { authorization: `Bearer ${tokens.a}`, 'content-type': 'application/json' },
      { body: '{' },
    ],
  ])('takes a token as %s', async (_, headers, init) => {
    const { status, headers: answered, body } = await ask(headers, init);
    expect(status).toBe(201);
    expect(answered.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      sessionToken: expect.stringMatching(/^eups_[\w-]+\.[\w-]+\.[\w-]+$/),
      expiresAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(Date.parse(String(body.expiresAt)) - Date.now()).toBeGreaterThan(59 * 60_000);
  });

  it.each<[string, Record<string, string>]>([
    ['no token', {}],
    ['an unknown token', { authorization: 'Bearer eup_team-a-ci_unknown' }],
    ['a session token of another proxy', { authorization: 'Bearer eups_e30.e30.AA' }],
  ])('refuses %s', async (_, headers) => {
    expect(await ask(headers)).toMatchObject({ status: 401, body: { code: 'UnrecognizedClientException' } });
  });

  it('refuses a session token', async () => {
    expect(await ask({ authorization: basic(await exchange(tokens.a)) })).toMatchObject({
      status: 403,
      body: { detail: expect.stringContaining('not exchanged for another') },
    });
  });

  it('leaves a line in the log that names the caller, and no token', async () => {
    const token = signToken(issuer.key, issuer.claims());
    const sessionToken = await exchange(token);
    expect(linesOf('CreateSessionToken')).toContainEqual(
      expect.objectContaining({
        principal: `Workload::${issuer.issuer}#repo:team-a/app:ref:refs/heads/main`,
        sessionTokenExpiresAt: expect.any(String),
        status: 201,
      }),
    );
    const log = readFileSync(join(local.dataDirectory, 'functions.log'), 'utf8');
    for (const secret of [token, sessionToken, sessionToken.split('.')[1] ?? 'no payload']) {
      expect(log).not.toContain(secret);
    }
  });
});

describe('a session token', () => {
  it('pushes through the resource API what its client may push, and continues what its client began', async () => {
    const sessionToken = await exchange(tokens.a);
    const layer = randomBytes(1_000);
    const uploadId = await resourceApi(local.send, tokens.a).begin();
    const as = resourceApi(local.send, sessionToken);
    expect((await as.uploadPart(uploadId, 0, layer)).status).toBe(200);
    expect((await as.complete(uploadId, digestOf(layer))).status).toBe(201);
    expect((await resourceApi(local.send, sessionToken, 'team-b/app').initiate()).status).toBe(403);
    expect(linesOf('UploadLayerPart')).toContainEqual(
      expect.objectContaining({ principal: 'Client::team-a-ci', tokenIsExchanged: true }),
    );
  });

  it('is the session token of an AWS SDK', async () => {
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b', sessionToken: await exchange(tokens.a) };
    const ecr = new ECRClient({ endpoint: local.proxyUrl, region: 'us-east-1', credentials });
    const { uploadId } = await ecr.send(new InitiateLayerUploadCommand({ repositoryName: 'team-a/app' }));
    expect(uploadId).toBeTruthy();
    ecr.destroy();
  });

  it('of a workload is the same workload: its claims are those of its token', async () => {
    const claims = { repository: 'x/y', groups: ['a', 'b'], run: 7 };
    const sessionToken = await exchange(signToken(issuer.key, issuer.claims(claims)));
    expect(await resourceApi(local.send, sessionToken).initiate()).toMatchObject({
      status: 403,
      body: { claims: { iss: issuer.issuer, repository: 'x/y', groups: ['a', 'b'], run: '7' } },
    });
  });
});

describe('a policy', () => {
  it('may refuse session tokens, or demand one', async () => {
    const policyDirectory = policiesOf({
      'a.cedar':
        'permit (principal, action, resource) when { context.tokenIsExchanged == (resource.name == "team-a/app") };',
    });
    const proxy = await startInProcess({ policyDirectory });
    const { sessionToken } = (await proxy.services.tokens.sessionTokens?.create(tokens.a, {
      type: 'Client',
      id: 'team-a-ci',
    })) ?? { sessionToken: '' };
    const status = async (token: string, repository: string) =>
      (await resourceApi(proxy.send, token, repository).initiate()).status;
    expect(await status(sessionToken, 'team-a/app')).toBe(201);
    expect(await status(tokens.a, 'team-a/app')).toBe(403);
    expect(await status(tokens.a, 'team-a/big')).toBe(201);
    expect(await status(sessionToken, 'team-a/big')).toBe(403);
    await proxy.close();
  });
});

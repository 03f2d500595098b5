// Session tokens at the registry endpoint itself: given as the resource API gives them, and good for what follows.

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sessionTokenExchange } from '../../api/session-tokens.ts';
import { startHosted } from '../support/hosted-registry.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { conform } from '../support/openapi.ts';
import { tokens } from '../support/resource-api.ts';

const basic = (password: string) => `Basic ${Buffer.from(`any:${password}`).toString('base64')}`;

let stack: InProcess;
let server: Awaited<ReturnType<typeof startHosted>>;
const lines: Record<string, unknown>[] = [];
beforeAll(async () => {
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'SILENT');
  stack = await startInProcess();
  const beginRecord: InProcess['services']['beginRecord'] = (origin) => {
    const line: Record<string, unknown> = { ...origin };
    return {
      serves: (operation) => void Object.assign(line, { operation }),
      add: (members) => void Object.assign(line, members),
      count: () => {},
      warn: () => {},
      end: (status, error) => void lines.push({ ...line, status, refusedWith: error?.code }),
    };
  };
  server = await startHosted({ services: { ...stack.services, beginRecord } });
});
afterAll(async () => {
  await server.close();
  await stack.close();
});

async function ask(headers: Record<string, string>, body?: string) {
  const { method, path } = sessionTokenExchange;
  const response = await fetch(`${server.url}${path}`, { method, headers, ...(body && { body }) });
  const answer = {
    status: response.status,
    headers: response.headers,
    body: JSON.parse(await response.text()),
  };
  conform({ method, path }, answer);
  return answer;
}

async function exchange(token: string): Promise<string> {
  const { status, body } = await ask({ authorization: basic(token) });
  expect(status).toBe(201);
  return sessionTokenExchange.output.parse(body).sessionToken;
}

describe('POST /session-tokens', () => {
  it.each<[string, Record<string, string>, string?]>([
    ['the password of Basic, as curl -u sends it', { authorization: basic(tokens.a) }],
    ['Bearer', { authorization: `Bearer ${tokens.a}` }],
    ['X-Amz-Security-Token', { 'x-amz-security-token': tokens.a }],
    ['Bearer, with a body that nobody reads', { authorization: `Bearer ${tokens.a}` }, '{'],
  ])('takes a token as %s', async (_, headers, body) => {
    const answer = await ask(headers, body);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toEqual({
      sessionToken: expect.stringMatching(/^eups_/),
      expiresAt: expect.stringMatching(/Z$/),
    });
  });

  it.each<[string, Record<string, string>]>([
    ['no token', {}],
    ['an Authorization that cannot be read', { authorization: 'Digest x' }],
    ['an unknown token', { authorization: 'Bearer eup_team-a-ci_unknown' }],
    ['a session token of another proxy', { authorization: 'Bearer eups_e30.e30.AA' }],
  ])('refuses %s with a problem document', async (_, headers) => {
    const answer = await ask(headers);
    expect(answer).toMatchObject({ status: 401, body: { code: 'UnrecognizedClientException' } });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });

  it('refuses a session token, which is good for a login', async () => {
    const sessionToken = await exchange(tokens.a);
    const authorization = basic(sessionToken);
    expect(await ask({ authorization })).toMatchObject({ status: 403 });
    expect((await fetch(`${server.url}/v2/`, { headers: { authorization } })).status).toBe(200);
  });

  it('leaves a line in the log that names the caller, and no token', async () => {
    const sessionToken = await exchange(tokens.a);
    await expect
      .poll(() => lines.at(-1))
      .toMatchObject({
        operation: 'CreateSessionToken',
        principal: 'Client::team-a-ci',
        sessionTokenExpiresAt: expect.any(String),
        status: 201,
        refusedWith: undefined,
      });
    await ask({});
    await expect
      .poll(() => lines.at(-1))
      .toMatchObject({
        operation: 'CreateSessionToken',
        status: 401,
        refusedWith: 'UnrecognizedClientException',
      });
    for (const secret of [tokens.a, sessionToken]) {
      expect(JSON.stringify(lines)).not.toContain(secret);
    }
  });

  it('is not there where the proxy gives no session tokens', async () => {
    const without = { ...stack.services.tokens, sessionTokens: undefined };
    const other = await startHosted({ services: { ...stack.services, tokens: without } });
    const headers = { authorization: basic(tokens.a) };
    const answer = await fetch(`${other.url}/session-tokens`, { method: 'POST', headers });
    expect(answer.status).toBe(405);
    await other.close();
  });
});

// Who is let in at the registry endpoint: credentials that a request carries are used or refused, never passed over.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveBridge } from '../../cli/bridge/serve.ts';
import { type IdentityOptions, identitiesOf } from '../../client/bridge/identities.ts';
import type { RegistryServer } from '../../registry/front/server.ts';
import { type LocalStack, startLocalStack } from '../support/local-stack.ts';
import { tokens } from '../support/resource-api.ts';

const password = 'open sesame';
const retry = { attempts: 2, baseMs: 1, capMs: 5, budgetMs: 5_000 };

let local: LocalStack;
const opened: RegistryServer[] = [];
async function open(options: Partial<IdentityOptions>): Promise<string> {
  const identities = identitiesOf({ endpoint: local.proxyUrl, retry, ...options });
  const address = { host: '127.0.0.1', port: 0 };
  const endpoint = await serveBridge({ address, identities, registry: 'ecr' });
  opened.push(endpoint);
  return endpoint.url;
}

const modes = ['own tokens', 'a password', 'lent to everyone'] as const;
let urls: Record<(typeof modes)[number], string>;
beforeAll(async () => {
  local = await startLocalStack();
  urls = {
    'own tokens': await open({}),
    'a password': await open({ lent: { token: tokens.a, to: { password } } }),
    'lent to everyone': await open({ lent: { token: tokens.a, to: 'everyone' } }),
  };
});
afterAll(async () => {
  for (const one of opened) {
    await one.close();
  }
  await local?.close();
});

const encoded = (text: string) => Buffer.from(text).toString('base64');
const basic = (secret: string) => `Basic ${encoded(`any:${secret}`)}`;

/** What is asked with which `Authorization`; undefined is none. */
const credentials: Record<string, string | undefined> = {
  nothing: undefined,
  "a client's token": basic(tokens.a),
  "a client's token as Bearer": `bearer ${tokens.a}`,
  'a token that nobody knows': basic('eup_team-a-ci_wrong'),
  'the password': basic(password),
  'the password as Bearer': 'Bearer open',
  'an empty password': basic(''),
  'a user alone': `Basic ${encoded('any')}`,
  'no base64': 'Basic !',
  'another scheme': `Digest username="any", response="${tokens.a}"`,
  'a scheme alone': 'Basic',
  'an empty header': '',
};

const letIn: Record<(typeof modes)[number], string[]> = {
  'own tokens': ["a client's token", "a client's token as Bearer"],
  'a password': ['the password'],
  'lent to everyone': ['nothing'],
};

/** Requests that the bridge could answer by itself, and one that it could not. */
const requests: [string, string][] = [
  ['GET', '/v2/'],
  ['HEAD', '/v2/team-a/app/manifests/1.0'],
  ['GET', '/v2/team-a/app/tags/list'],
  ['GET', '/v2/team-a/app/blobs/uploads/nothing'],
  ['PUT', '/v2/team-a/app/blobs/uploads/nothing?digest=x'],
  ['DELETE', '/v2/_catalog'],
  ['POST', '/v2/team-a/app/blobs/uploads/'],
];

describe.each(modes)('with %s', (mode) => {
  it.each(Object.entries(credentials))(
    'who sends %s is let in or refused, at every path',
    async (name, authorization) => {
      for (const [method, path] of requests) {
        const headers = authorization === undefined ? {} : { authorization };
        const answer = await fetch(`${urls[mode]}${path}`, { method, headers });
        const body = await answer.text();
        if (letIn[mode].includes(name)) {
          expect(answer.status, `${method} ${path}`).not.toBe(401);
        } else {
          expect(answer.status, `${method} ${path}`).toBe(401);
          expect(answer.headers.get('www-authenticate')).toBe('Basic realm="ecr-upload-proxy"');
          if (method !== 'HEAD') {
            expect(JSON.parse(body)).toMatchObject({ errors: [{ code: 'UNAUTHORIZED' }] });
          }
        }
        expect(body).not.toMatch(/eup_|sesame/);
      }
    },
  );
});

describe('a login', () => {
  const login = (url: string, secret: string) =>
    fetch(`${url}/v2/`, { headers: { authorization: basic(secret) } });

  it('says why it fails where the token is lent to everyone', async () => {
    const answer = await login(urls['lent to everyone'], tokens.a);
    expect([answer.status, await answer.text()]).toEqual([
      401,
      expect.stringContaining('nobody logs in here'),
    ]);
  });

  it('does not succeed at a proxy that cannot be asked', async () => {
    const lost = await open({ endpoint: 'http://127.0.0.1:1' });
    const answer = await login(lost, tokens.a);
    expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining('UNAVAILABLE')]);
  });

  it('does not succeed at what is no proxy', async () => {
    const astray = await open({ endpoint: local.ecrUrl });
    const answer = await login(astray, tokens.a);
    expect([answer.status, await answer.json()]).toMatchObject([
      503,
      {
        errors: [
          {
            code: 'UNAVAILABLE',
            message: expect.stringContaining('is the endpoint of this bridge the proxy?'),
          },
        ],
      },
    ]);
  });

  it('serves several clients side by side, and none sees the uploads of another', async () => {
    const ask = (method: string, path: string, token: string) =>
      fetch(`${urls['own tokens']}${path}`, { method, headers: { authorization: basic(token) } });
    const begun = await ask('POST', '/v2/team-b/app/blobs/uploads/', tokens.b);
    expect(begun.status).toBe(202);
    expect((await ask('POST', '/v2/team-b/app/blobs/uploads/', tokens.a)).status).toBe(403);
    const place = begun.headers.get('location') ?? '';
    expect((await ask('GET', place, tokens.b)).status).toBe(204);
    expect((await ask('GET', place, tokens.a)).status).toBe(404);
  });
});

it('128 uploads that strangers begin leave room for a client’s own', async () => {
  const url = urls['own tokens'];
  const begin = (headers: Record<string, string>) =>
    fetch(`${url}/v2/team-a/app/blobs/uploads/`, { method: 'POST', headers });
  const strangers: Record<string, string>[] = [{}, { authorization: basic('eup_team-a-ci_wrong') }];
  for (let count = 0; count < 130; count += 1) {
    for (const headers of strangers) {
      expect((await begin(headers)).status).toBe(401);
    }
  }
  expect((await begin({ authorization: basic(tokens.a) })).status).toBe(202);
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Issuer } from '../../api/issuers.ts';
import { keySetFreshMs, keySetMaxAgeMs, keySetRetryMs, maxTokenCharacters } from '../../api/limits.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { type TokenVerifier, tokenVerifier } from '../../lambda/identity/oidc-token.ts';
import { authenticate } from '../../lambda/steps/authenticate.ts';
import {
  type Json,
  makeKey,
  now,
  signHmac,
  signToken,
  startIssuer,
  type TestIssuer,
  unsigned,
} from '../support/issuer.ts';

const rsa = makeKey('key-1');
const strangers = makeKey('key-1');

let issuer: TestIssuer;
let verify: TokenVerifier;

const trust = (one: TestIssuer, more: Partial<Issuer> = {}): Issuer => ({
  issuer: one.issuer,
  audience: ['ecr-upload-proxy'],
  audienceClaim: 'aud',
  ...more,
});

beforeEach(async () => {
  issuer = await startIssuer([rsa]);
  verify = tokenVerifier([trust(issuer)]);
});
afterEach(async () => {
  vi.useRealTimers();
  await issuer.close();
});

const token = (claims: Json = {}, header: Json = {}) => signToken(rsa, issuer.claims(claims), header);

async function readSecret(): Promise<never> {
  throw new Error('nobody asked for a client token');
}

/** As a request brings it, through authenticate. */
const call = (text: string) =>
  authenticate({ authorization: `Bearer ${text}` }, { readSecret, verifyOidcToken: verify });

async function refusal(text: string): Promise<{ code: string; message: string }> {
  const failure: unknown = await call(text).catch((error: unknown) => error);
  if (!(failure instanceof ProxyError)) {
    throw new Error(`not refused as it should be: ${failure}`);
  }
  expect(JSON.stringify([failure.message, failure.members, String(failure.cause)])).not.toContain(
    text.split('.')[1] || 'no payload',
  );
  return failure;
}

describe('an OIDC token', () => {
  it('makes a Workload of its issuer, its subject and its claims', async () => {
    const claims = { repository: 'team-a/app', run_attempt: 2, protected: true, groups: ['a', 'b'] };
    const principal = await call(token({ ...claims, nested: { a: 1 }, nothing: null, mixed: ['a', [1]] }));
    expect(principal).toEqual({
      type: 'Workload',
      id: `${issuer.issuer}#repo:team-a/app:ref:refs/heads/main`,
      issuer: issuer.issuer,
      subject: 'repo:team-a/app:ref:refs/heads/main',
      claims: {
        iss: issuer.issuer,
        aud: 'ecr-upload-proxy',
        sub: 'repo:team-a/app:ref:refs/heads/main',
        iat: expect.stringMatching(/^\d+$/),
        nbf: expect.stringMatching(/^\d+$/),
        exp: expect.stringMatching(/^\d+$/),
        repository: 'team-a/app',
        run_attempt: '2',
        protected: 'true',
        groups: ['a', 'b'],
        'nested/a': '1',
      },
    });
  });

  it.each(['RS256', 'ES256', 'EdDSA'] as const)('may be signed with %s', async (alg) => {
    const key = makeKey('another', alg);
    issuer.state.published.push(key);
    expect(await call(signToken(key, issuer.claims()))).toMatchObject({ type: 'Workload' });
  });

  it('may have the audience as one of several', async () => {
    expect(await call(token({ aud: ['somebody', 'ecr-upload-proxy'] }))).toMatchObject({ type: 'Workload' });
  });

  it('may be off by a minute of clock skew, in both directions', async () => {
    expect(await call(token({ exp: now() - 50 }))).toMatchObject({ type: 'Workload' });
    expect(await call(token({ nbf: now() + 50 }))).toMatchObject({ type: 'Workload' });
  });

  it('of Amazon Cognito, which has client_id for aud, is taken where the issuer is configured so', async () => {
    verify = tokenVerifier([trust(issuer, { audience: ['7abc'], audienceClaim: 'client_id' })]);
    const cognito = (client_id: unknown) => token({ aud: undefined, client_id, token_use: 'access' });
    expect(await call(cognito('7abc'))).toMatchObject({ claims: { client_id: '7abc' } });
    expect((await refusal(cognito('other'))).message).toContain('audience (client_id)');
    expect((await refusal(cognito(undefined))).message).toContain('audience (client_id)');
    expect((await refusal(token({ aud: '7abc' }))).message).toContain('audience (client_id)');
  });
});

type Hostile = [string, () => string, RegExp];

/** How often the issuer's keys are asked for: each of these is refused before that. */
const beforeAnyFetch: Hostile[] = [
  ['alg none', () => unsigned(issuer.claims(), { alg: 'none', kid: 'key-1' }, 'x'), /algorithm/],
  [
    'alg none in other letters',
    () => unsigned(issuer.claims(), { alg: 'NonE', kid: 'key-1' }, 'x'),
    /algorithm/,
  ],
  [
    'HS256 with the public key as the secret',
    () =>
      signHmac(rsa.publicKey.export({ type: 'spki', format: 'pem' }), issuer.claims(), {
        alg: 'HS256',
        kid: 'key-1',
      }),
    /algorithm/,
  ],
  ['no algorithm', () => unsigned(issuer.claims(), { kid: 'key-1' }, 'x'), /algorithm/],
  ['an algorithm that every object has', () => token({}, { alg: 'constructor' }), /algorithm/],
  ['no key id', () => token({}, { kid: undefined }), /key \(kid\)/],
  ['a key id that is a list', () => token({}, { kid: ['key-1'] }), /key \(kid\)/],
  ['an extension that must be understood', () => token({}, { crit: ['b64'], b64: false }), /well-formed/],
  ['another issuer', () => token({ iss: 'https://evil.example' }), /issuer \(iss\)/],
  [
    'an issuer that only begins alike',
    () => token({ iss: `${issuer.issuer}.evil.example` }),
    /issuer \(iss\)/,
  ],
  ['an issuer that is a list', () => token({ iss: [issuer.issuer, 'https://evil.example'] }), /./],
  ['no issuer', () => token({ iss: undefined }), /issuer \(iss\)/],
  ['no expiry', () => token({ exp: undefined }), /expiry \(exp\)/],
  ['an expiry that is a text', () => token({ exp: '9999999999' }), /expiry \(exp\)/],
  ['no subject', () => token({ sub: undefined }), /subject \(sub\)/],
  [
    'a claim twice',
    () => signToken(rsa, `{"sub":"me",${JSON.stringify(issuer.claims()).slice(1)}`),
    /well-formed/,
  ],
  [
    'a claim twice, once in escapes',
    () => signToken(rsa, `{"\\u0069ss":"https://evil.example",${JSON.stringify(issuer.claims()).slice(1)}`),
    /well-formed/,
  ],
  [
    'a header twice',
    () => signToken(rsa, issuer.claims(), '{"alg":"none","alg":"RS256","kid":"key-1"}'),
    /well-formed/,
  ],
  [
    'JSON of a thousand levels',
    () => signToken(rsa, `{"a":${'['.repeat(1_000)}${']'.repeat(1_000)}}`),
    /well-formed/,
  ],
  ['JSON that does not end', () => signToken(rsa, `{"a":${'['.repeat(1_000)}`), /well-formed/],
  ['claims that are a list', () => signToken(rsa, '[]'), /well-formed/],
  ['claims that are null', () => signToken(rsa, 'null'), /well-formed/],
  ['a header that is no JSON', () => signToken(rsa, issuer.claims(), 'RS256'), /well-formed/],
  ['parts that are no base64', () => 'a.b.c', /well-formed/],
  ['nothing but two dots', () => '..', /Send a token/],
  ['no signature', () => token().replace(/[^.]*$/, ''), /Send a token/],
  ['four parts', () => `${token()}.x`, /Send a token/],
  ['five parts, as if it were encrypted', () => `${token()}.x.y`, /Send a token/],
  ['blanks within', () => token().replace('.', '. '), /Send a token/],
  [
    'more characters than a token has',
    () => token({ long: 'x'.repeat(maxTokenCharacters) }),
    /8192 characters/,
  ],
];

const afterAFetch: Hostile[] = [
  [
    'a key of somebody else under the issuer’s key id',
    () => signToken(strangers, issuer.claims()),
    /signature is not valid/,
  ],
  [
    'claims changed after the signature',
    () => {
      const [header, , signature] = token().split('.');
      const forged = Buffer.from(JSON.stringify(issuer.claims({ sub: 'admin' }))).toString('base64url');
      return `${header}.${forged}.${signature}`;
    },
    /signature is not valid/,
  ],
  ['an unknown key id', () => token({}, { kid: 'key-2' }), /key id \(kid\)/],
  ['a key id that is a path', () => token({}, { kid: '../../dev/null' }), /key id \(kid\)/],
  ['a key id that every object has', () => token({}, { kid: '__proto__' }), /key id \(kid\)/],
  ['an algorithm of another kind of key', () => token({}, { alg: 'ES256' }), /another algorithm/],
  [
    'an algorithm of the same kind of key, but not the key’s',
    () => token({}, { alg: 'RS512' }),
    /another algorithm/,
  ],
  ['another audience', () => token({ aud: 'sts.amazonaws.com' }), /audience \(aud\).*ecr-upload-proxy/],
  ['no audience', () => token({ aud: undefined }), /audience \(aud\)/],
  ['no audience in a list', () => token({ aud: [] }), /audience \(aud\)/],
  ['a time before it is valid', () => token({ nbf: now() + 120 }), /not valid before 20.*\(nbf\)/],
];

describe('a hostile token', () => {
  it.each(beforeAnyFetch)('with %s is refused before any key is asked for', async (_, make, detail) => {
    const { code, message } = await refusal(make());
    expect(code).toBe('UnrecognizedClientException');
    expect(message).toMatch(detail);
    expect(issuer.state.requests).toEqual([]);
  });

  it.each(afterAFetch)('with %s is refused', async (_, make, detail) => {
    const { code, message } = await refusal(make());
    expect(code).toBe('UnrecognizedClientException');
    expect(message).toMatch(detail);
  });

  it.each(['jku', 'x5u'])('with its own keys at %s, or within, makes nobody fetch them', async (header) => {
    const evil = await startIssuer([strangers]);
    const forged = signToken(strangers, issuer.claims(), {
      [header]: `${evil.issuer}/keys`,
      jwk: strangers.jwk,
    });
    expect((await refusal(forged)).message).toContain('signature is not valid');
    expect(evil.state.requests).toEqual([]);
    await evil.close();
  });

  it('that has expired gets an error that says since when', async () => {
    const exp = now() - 3_600;
    expect(await refusal(token({ exp }))).toMatchObject({
      code: 'ExpiredTokenException',
      message: expect.stringContaining(new Date(exp * 1_000).toISOString()),
    });
  });

  it('that has expired is not told so if it was never good', async () => {
    expect((await refusal(signToken(strangers, issuer.claims({ exp: 1 })))).code).toBe(
      'UnrecognizedClientException',
    );
  });

  it('costs no more than a handful of fetches, however many come with unknown key ids', async () => {
    for (let n = 0; n < 200; n++) {
      await refusal(token({}, { kid: `key-${n + 2}` }));
    }
    // Discovery and keys, for the first of them.
    expect(issuer.state.requests).toHaveLength(2);
    expect(await call(token())).toMatchObject({ type: 'Workload' });
    expect(issuer.state.requests).toHaveLength(2);
  });

  it('is refused within a second of CPU time, the largest too', async () => {
    const hostile = [
      token({ deep: JSON.parse('['.repeat(3_000) + ']'.repeat(3_000)) }),
      token({ many: Array.from({ length: 1_000 }, () => 'a') }, { kid: 'x' }),
      signToken(rsa, `{${'"a":1,'.repeat(900)}"b":1}`),
    ];
    await refusal(token({}, { kid: 'unknown' }));
    const before = process.cpuUsage();
    for (const text of hostile) {
      await refusal(text);
    }
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(1_000);
  });
});

describe('the keys of an issuer', () => {
  it('are asked for once, by discovery, and then kept', async () => {
    for (let n = 0; n < 5; n++) {
      await call(token());
    }
    expect(issuer.state.requests).toEqual(['/.well-known/openid-configuration', '/keys']);
  });

  it('are asked for where the configuration says they are', async () => {
    verify = tokenVerifier([trust(issuer, { jwksUri: `${issuer.issuer}/keys` })]);
    await call(token());
    expect(issuer.state.requests).toEqual(['/keys']);
  });

  it('are asked for again when a token has a new key id: a rotation is no outage', async () => {
    await call(token());
    const next = makeKey('key-2');
    issuer.state.published = [rsa, next];
    expect(await call(signToken(next, issuer.claims()))).toMatchObject({ type: 'Workload' });
    expect(await call(token())).toMatchObject({ type: 'Workload' });
  });

  it('stop to count when they have been withdrawn and are no longer fresh', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    await call(token());
    issuer.state.published = [makeKey('key-2')];
    expect(await call(token())).toMatchObject({ type: 'Workload' });
    vi.setSystemTime(Date.now() + keySetFreshMs + 1);
    expect((await refusal(token())).message).toContain('key id (kid)');
  });

  it('serve on while they cannot be renewed, but not forever', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    await call(token());
    issuer.state.status = 500;
    vi.setSystemTime(Date.now() + keySetFreshMs + 1);
    expect(await call(token())).toMatchObject({ type: 'Workload' });
    vi.setSystemTime(Date.now() + keySetMaxAgeMs + 1);
    expect((await refusal(token())).code).toBe('ServiceUnavailableException');
  });

  it.each<[string, number]>([
    ['fail', 500],
    ['are asked for too often', 429],
  ])('that %s make it 503, and are asked for again after a while only', async (_, status) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    Object.assign(issuer.state, { status });
    for (let n = 0; n < 20; n++) {
      expect((await refusal(token())).code).toBe('ServiceUnavailableException');
    }
    expect(issuer.state.requests.length).toBeLessThanOrEqual(2);
    Object.assign(issuer.state, { status: 200 });
    vi.setSystemTime(Date.now() + keySetRetryMs + 1);
    expect(await call(token())).toMatchObject({ type: 'Workload' });
  });

  it.each<[string, object, RegExp]>([
    ['redirect', { status: 302 }, /redirects \(HTTP 302\)/],
    ['are not there', { status: 404 }, /HTTP 404/],
    ['are not for everybody', { status: 403 }, /HTTP 403/],
    ['are HTML', { body: '<html>Maintenance</html>' }, /no discovery document/],
    ['are another document', { body: '{"keys":[{}]}' }, /no discovery document/],
    [
      'are of another issuer',
      { body: '{"issuer":"https://a.example","jwks_uri":"https://a.example"}' },
      /another/,
    ],
    ['are larger than a key set can be', { body: ' '.repeat(300_000) }, /more than 262144 bytes/],
  ])(
    'that %s are a fault of the configuration: the operator is told, and nobody to try again',
    async (_, state, said) => {
      vi.useFakeTimers({ toFake: ['Date'] });
      const reports: unknown[][] = [];
      verify = tokenVerifier([trust(issuer)], (...report) => {
        reports.push(report);
      });
      Object.assign(issuer.state, state);
      for (let n = 0; n < 20; n++) {
        const failure: unknown = await call(token()).catch((error: unknown) => error);
        expect(failure).toMatchObject({ code: 'InternalFailure', retryAfterSeconds: undefined });
      }
      expect(issuer.state.requests.length).toBeLessThanOrEqual(2);
      expect(reports).toEqual([['issuer', expect.any(String), expect.any(Error)]]);
      expect(String(reports[0]?.[2])).toMatch(said);
      Object.assign(issuer.state, { status: 200, body: undefined });
      vi.setSystemTime(Date.now() + keySetRetryMs + 1);
      expect(await call(token())).toMatchObject({ type: 'Workload' });
    },
  );

  it('that are withdrawn by a redirect are still used, and the operator is notified meanwhile', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const report = vi.fn();
    verify = tokenVerifier([trust(issuer)], report);
    await call(token());
    issuer.state.status = 301;
    vi.setSystemTime(Date.now() + keySetFreshMs + 1);
    expect(await call(token())).toMatchObject({ type: 'Workload' });
    expect(report).toHaveBeenCalledOnce();
  });

  it('of an issuer that is down lock out nobody else', async () => {
    const down = await startIssuer([rsa]);
    await down.close();
    verify = tokenVerifier([trust(down), trust(issuer)]);
    expect((await refusal(signToken(rsa, down.claims()))).code).toBe('ServiceUnavailableException');
    expect(await call(token())).toMatchObject({ type: 'Workload' });
  });

  it('are no other issuer’s: a token is checked with those of its own issuer', async () => {
    const other = await startIssuer([strangers]);
    verify = tokenVerifier([trust(issuer), trust(other)]);
    expect((await refusal(signToken(strangers, issuer.claims()))).message).toContain(
      'signature is not valid',
    );
    expect(await call(signToken(strangers, other.claims()))).toMatchObject({ issuer: other.issuer });
    await other.close();
  });
});

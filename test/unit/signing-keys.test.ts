// An issuer's keys: which are fit to verify, when they are fetched, and what is said while they are not at hand.

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Issuer } from '../../api/issuers.ts';
import { keySetRetryMs, maxClockSkewMs, maxTokenLifetimeSeconds } from '../../api/limits.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { type TokenVerifier, tokenVerifier } from '../../lambda/identity/oidc-token.ts';
import { fuzzed } from '../support/fuzzing.ts';
import { type Json, makeKey, now, signToken, startIssuer, type TestIssuer } from '../support/issuer.ts';

const rsa = makeKey('key-1');
const next = makeKey('key-2');

let issuer: TestIssuer;
let verify: TokenVerifier;

const trust = (more: Partial<Issuer> = {}) =>
  tokenVerifier([{ issuer: issuer.issuer, audience: ['ecr-upload-proxy'], audienceClaim: 'aud', ...more }]);

beforeEach(async () => {
  issuer = await startIssuer([rsa]);
  verify = trust();
});
afterEach(async () => {
  vi.useRealTimers();
  await issuer.close();
});

async function refusal(text: string): Promise<ProxyError> {
  const failure: unknown = await verify(text).catch((error: unknown) => error);
  if (!(failure instanceof ProxyError)) {
    throw new Error(`not refused as it should be: ${failure}`);
  }
  return failure;
}

const token = (key = rsa, claims: Json = {}, header: Json = {}) =>
  signToken(key, issuer.claims(claims), header);
const unknown = (kid = 'nobody-has-it') => token(rsa, {}, { kid });

function publish(...jwks: Json[]) {
  issuer.state.body = undefined;
  issuer.state.published = jwks.map((jwk) => ({ ...rsa, jwk }));
}

/** A signature that anybody can make for a key with the exponent 1: the padded hash is its own signature. */
function forge(claims: Json, bits: number): string {
  const input = [{ alg: 'RS256', kid: 'key-1' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const sha256OfPkcs1 = Buffer.from('3031300d060960864801650304020105000420', 'hex');
  const hash = Buffer.concat([sha256OfPkcs1, createHash('sha256').update(input).digest()]);
  const padding = Buffer.alloc(bits / 8 - hash.length - 3, 0xff);
  const signature = Buffer.concat([Buffer.from([0, 1]), padding, Buffer.from([0]), hash]);
  return `${input}.${signature.toString('base64url')}`;
}

describe('a key', () => {
  it('of RSA with less than 2,048 bits verifies nothing, and the refusal says why', async () => {
    const weak = makeKey('key-1', 'RS256', 1_024);
    publish(weak.jwk);
    const { code, message } = await refusal(token(weak));
    expect(code).toBe('UnrecognizedClientException');
    expect(message).toContain('RSA key of 1024 bits');
  });

  it.each([
    ['1', 'AQ'],
    ['2', 'Ag'],
    ['65536', 'AQAA'],
  ])('of RSA with the exponent %s verifies nothing: it could be forged', async (exponent, e) => {
    publish({ ...rsa.jwk, e });
    expect((await refusal(forge(issuer.claims(), 2_048))).message).toContain(`the exponent ${exponent}`);
  });

  it.each<[string, Json]>([
    ['for encryption', { use: 'enc' }],
    ['for encryption by its operations', { use: undefined, key_ops: ['encrypt', 'wrapKey'] }],
    ['to sign with and not to verify', { use: undefined, key_ops: ['sign'] }],
    ['whose operations are no list', { key_ops: 'verify' }],
  ])('%s verifies nothing', async (_, members) => {
    publish({ ...rsa.jwk, ...members });
    expect((await refusal(token())).message).toContain('no key of its key id');
  });

  it('may say that it verifies, or not say what it is for', async () => {
    publish({ ...rsa.jwk, use: undefined, key_ops: ['verify'] });
    expect(await verify(token())).toMatchObject({ type: 'Workload' });
    verify = trust();
    publish({ ...rsa.jwk, use: undefined, alg: undefined });
    expect(await verify(token())).toMatchObject({ type: 'Workload' });
  });

  it.each<[string, Json]>([
    ['is no point of its curve', { x: 'AAAA', y: 'AAAA' }],
    ['lacks a coordinate', { y: undefined }],
  ])('that %s is no key', async (_, members) => {
    const ec = makeKey('key-1', 'ES256');
    publish({ ...ec.jwk, ...members });
    const { code, message } = await refusal(token(ec));
    expect(code).toBe('UnrecognizedClientException');
    expect(message).toContain('not a usable key');
  });

  it('of another curve than its algorithm’s is of another algorithm', async () => {
    const ec = makeKey('key-1', 'ES256');
    publish({ ...ec.jwk, crv: 'P-384', alg: undefined });
    expect((await refusal(token(ec))).message).toContain('another algorithm');
  });

  it.each<[string, Json[]]>([
    ['one for encryption', [{ ...rsa.jwk, use: 'enc', alg: 'RSA-OAEP' }, rsa.jwk]],
    ['itself with another algorithm', [{ ...rsa.jwk, alg: 'RS512' }, rsa.jwk]],
    ['one of another kind', [makeKey('key-1', 'ES256').jwk, rsa.jwk]],
    ['one of a kind that nobody knows', [{ kid: 'key-1', kty: 'AKP', alg: 'ML-DSA-44', pub: 'AA' }, rsa.jwk]],
    ['what is no key at all', [{ kid: 'key-1' }, rsa.jwk]],
    ['one to sign with', [{ ...rsa.jwk, use: undefined, key_ops: ['sign'] }, rsa.jwk]],
    ['one whose operations are null', [{ ...rsa.jwk, key_ops: null }, rsa.jwk]],
    ['another of the same kind, of a rotation', [makeKey('key-1').jwk, rsa.jwk]],
    ['one that is too weak', [makeKey('key-1', 'RS256', 1_024).jwk, rsa.jwk]],
    [
      'one without its modulus, but with a certificate',
      [{ ...rsa.jwk, n: undefined, x5c: ['MIIB'] }, rsa.jwk],
    ],
    ['three others', [makeKey('key-1').jwk, makeKey('key-1').jwk, makeKey('key-1').jwk, rsa.jwk]],
    ...['kty', 'use', 'alg', 'kid', 'n', 'e'].flatMap((member): [string, Json[]][] =>
      [null, 7, '', ['sig'], {}].map((value) => [
        `one whose ${member} is ${JSON.stringify(value)}`,
        [{ ...rsa.jwk, [member]: value }, rsa.jwk],
      ]),
    ),
  ])('is found beside %s under the same key id', async (_, jwks) => {
    publish(...jwks);
    expect(await verify(token())).toMatchObject({ type: 'Workload' });
  });
});

describe('a key set', () => {
  const anything = () =>
    fc.oneof(
      fc.jsonValue(),
      fc.record(
        Object.fromEntries(
          ['kid', 'kty', 'use', 'alg', 'key_ops', 'n', 'e', 'crv', 'x', 'y', 'x5c', 'x5t', 'ext'].map(
            (name) => [
              name,
              fc.oneof(
                fc.constantFrom('key-1', 'RSA', 'EC', 'sig', 'RS256', 'verify', 'AQAB'),
                fc.jsonValue(),
              ),
            ],
          ),
        ),
        { requiredKeys: [] },
      ),
    );

  it('may hold anything beside the key of a token, before it and after', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anything(), { maxLength: 4 }),
        fc.array(anything()),
        async (before, after) => {
          issuer.state.keySet = JSON.stringify({ keys: [...before, rsa.jwk, ...after], more: before });
          expect(await trust()(token())).toMatchObject({ type: 'Workload' });
        },
      ),
      fuzzed(100),
    );
  });

  it('and its discovery may begin with a byte order mark', async () => {
    issuer.state.prefix = '\uFEFF';
    expect(await verify(token())).toMatchObject({ type: 'Workload' });
  });
});

describe('the claims of a token', () => {
  it('beside the registered ones may be anything, and make no signature uncheckable', async () => {
    const values = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.array(fc.string()));
    const names = fc.oneof(
      fc.string({ unit: 'grapheme', minLength: 1 }),
      fc.constantFrom('scope', 'scp', 'token_use', 'client_id', 'azp', 'jti', 'groups', 'kid', 'alg'),
    );
    await fc.assert(
      fc.asyncProperty(names, values, async (name, value) => {
        const failure = await verify(token(rsa, { [`${name}`]: value })).catch(
          (error: Error) => error.message,
        );
        const isStandard = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'events', '__proto__'].includes(name);
        expect(isStandard || typeof failure === 'object' || failure.includes('well-formed')).toBe(true);
      }),
      fuzzed(100),
    );
  });

  it.each<[string, Json]>([
    ['a list as scope, as Spring writes it', { scope: ['push', 'read'] }],
    ['no scope, but null', { scope: null }],
    ['a number as scope', { scope: 7 }],
    ['lists of lists', { groups: [['a'], [1]] }],
    ['a list as client_id', { client_id: ['a'] }],
    ['a list as token_use', { token_use: ['access'] }],
  ])('may be %s', async (_, claims) => {
    expect(await verify(token(rsa, claims))).toMatchObject({ type: 'Workload' });
  });

  it('and the header may begin with a byte order mark', async () => {
    const header = JSON.stringify({ alg: 'RS256', kid: 'key-1' });
    const text = signToken(rsa, `\uFEFF${JSON.stringify(issuer.claims())}`, `\uFEFF${header}`);
    expect(await verify(text)).toMatchObject({ type: 'Workload', issuer: issuer.issuer });
  });
});

describe('the times of a token', () => {
  it('end a day ahead at most', async () => {
    expect(await verify(token(rsa, { exp: now() + maxTokenLifetimeSeconds }))).toMatchObject({
      type: 'Workload',
    });
    const exp = now() + maxTokenLifetimeSeconds + maxClockSkewMs / 1_000 + 10;
    const { code, message } = await refusal(token(rsa, { exp }));
    expect(code).toBe('UnrecognizedClientException');
    expect(message).toContain('too far ahead');
    expect(message).toContain(new Date(exp * 1_000).toISOString());
    expect((await refusal(token(rsa, { exp: now() + 1e9 }))).message).toContain('too far ahead');
  });

  it('end as far ahead as the configuration of their issuer says', async () => {
    verify = trust({ maxTokenLifetimeSeconds: 600 });
    expect(await verify(token(rsa, { exp: now() + 600 }))).toMatchObject({ type: 'Workload' });
    expect((await refusal(token(rsa, { exp: now() + 700 }))).message).toContain('600 s');
    verify = trust({ maxTokenLifetimeSeconds: 31_536_000 });
    expect(await verify(token(rsa, { exp: now() + 31_000_000 }))).toMatchObject({ type: 'Workload' });
  });

  it('begin now or before, but for a minute of clock skew', async () => {
    expect(await verify(token(rsa, { iat: now() + 50 }))).toMatchObject({ type: 'Workload' });
    expect((await refusal(token(rsa, { iat: now() + 120 }))).message).toContain('issued in the future');
  });

  it('may be without iat and nbf, as those of Amazon Cognito are without nbf', async () => {
    expect(await verify(token(rsa, { iat: undefined, nbf: undefined }))).toMatchObject({ type: 'Workload' });
  });
});

describe('a key that is not at hand', () => {
  it('and that the set, fetched for it, does not have, is unknown: 401', async () => {
    expect((await refusal(unknown())).code).toBe('UnrecognizedClientException');
    await verify(token());
    expect(issuer.state.requests).toHaveLength(2);
  });

  it('and that somebody asked for just before a rotation is 503 until the set may be fetched again', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    await verify(token());
    expect((await refusal(unknown())).code).toBe('UnrecognizedClientException');
    publish(rsa.jwk, next.jwk);
    vi.setSystemTime(Date.now() + keySetRetryMs / 3);
    expect(await refusal(token(next))).toMatchObject({
      code: 'ServiceUnavailableException',
      retryAfterSeconds: (keySetRetryMs * 2) / 3_000,
    });
    vi.setSystemTime(Date.now() + (keySetRetryMs * 2) / 3);
    expect(await verify(token(next))).toMatchObject({ type: 'Workload' });
    expect(await verify(token())).toMatchObject({ type: 'Workload' });
  });

  it('costs one fetch in each such time, whatever strangers ask for', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    await verify(token());
    issuer.state.requests.length = 0;
    for (let round = 0; round < 3; round++) {
      await Promise.allSettled(Array.from({ length: 50 }, (_, n) => verify(unknown(`${round}-${n}`))));
      await refusal(unknown());
      expect(issuer.state.requests).toHaveLength(2 * (round + 1));
      vi.setSystemTime(Date.now() + keySetRetryMs);
    }
  });

  it('and whose set is being fetched for another token is 503 where that fetch does not bring it', async () => {
    await verify(token());
    let release = () => {};
    issuer.state.held = new Promise((resolve) => {
      release = resolve;
    });
    const stranger = refusal(unknown());
    await vi.waitUntil(() => issuer.state.requests.length === 3, { timeout: 60_000 });
    const client = refusal(token(next));
    release();
    expect((await stranger).code).toBe('UnrecognizedClientException');
    expect((await client).code).toBe('ServiceUnavailableException');
  });
});

describe('the set of an issuer’s keys', () => {
  it('is fetched once for a hundred tokens that come at the same time', async () => {
    const all = await Promise.all(Array.from({ length: 100 }, () => verify(token())));
    expect(all).toHaveLength(100);
    expect(issuer.state.requests).toEqual(['/.well-known/openid-configuration', '/keys']);
  });

  it('is asked for a second time when a connection was reset', async () => {
    issuer.state.resets = 1;
    expect(await verify(token())).toMatchObject({ type: 'Workload' });
  });

  it('that cannot be had makes it 503, and Retry-After says when it is fetched again', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    issuer.state.status = 503;
    expect(await refusal(token())).toMatchObject({ retryAfterSeconds: keySetRetryMs / 1_000 });
    issuer.state.status = 200;
    vi.setSystemTime(Date.now() + keySetRetryMs - 1_500);
    expect(await refusal(token())).toMatchObject({ retryAfterSeconds: 2 });
    vi.setSystemTime(Date.now() + 1_500);
    expect(await verify(token())).toMatchObject({ type: 'Workload' });
  });

  it('serves on while a new one cannot be had, and a key that it lacks is 503 then', async () => {
    await verify(token());
    issuer.state.status = 503;
    expect((await refusal(token(next))).code).toBe('ServiceUnavailableException');
    expect(await verify(token())).toMatchObject({ type: 'Workload' });
  });
});

// Session tokens: who a holder is, for how long, and what is no session token of this proxy.

import { createHash, createHmac, hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { maxSessionTokenCharacters } from '../../api/limits.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import type { Secret } from '../../api/secret.ts';
import { openSessionTokens, type SessionTokenOptions } from '../../lambda/identity/session-token.ts';
import { authenticate } from '../../lambda/steps/authenticate.ts';
import { claimsOf } from '../../policy/claims.ts';
import { type Principal, type Workload, workload } from '../../policy/principal.ts';
import { fuzzed } from '../support/fuzzing.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const iss = 'https://issuer.example';
const issuers = [{ issuer: iss, audience: ['here'], audienceClaim: 'aud' as const }];
const clientToken = 'eup_team-a-ci_token';
const client: Principal = { type: 'Client', id: 'team-a-ci' };
const minute = 60_000;

const workloadOf = (claims: Readonly<Record<string, unknown>> = {}): Workload =>
  workload(iss, 'subject', claimsOf({ aud: 'here', ...claims, iss, sub: 'subject' }));

let secret: Secret;
const readSecret = async () => secret;
const open = (more: Partial<SessionTokenOptions> = {}) =>
  openSessionTokens({ maxMinutes: 60, issuers, readSecret, ...more });
const opened = open();

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 });
  secret = { sealingKey: 'k'.repeat(32), clients: { 'team-a-ci': [{ sha256: sha256(clientToken) }] } };
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);
const at = (ms: number) => new Date(Date.now() + ms).toISOString();

async function created(principal: Principal = workloadOf(), tokens = opened) {
  const { sessionToken, expiresAt } = await tokens.create(clientToken, principal);
  return { sessionToken, minutes: (Date.parse(expiresAt) - Date.now()) / minute };
}

async function verifyOidcToken(): Promise<never> {
  throw new Error('not an OIDC token');
}
const call = (token: string, sessionTokens: typeof opened | undefined = opened) =>
  authenticate({ authorization: `Bearer ${token}` }, { readSecret, verifyOidcToken, sessionTokens });

async function refusal(token: string, tokens = opened): Promise<ProxyError> {
  const failure: unknown = await call(token, tokens).catch((error: unknown) => error);
  if (!(failure instanceof ProxyError)) {
    throw new Error(`not refused as it should be: ${failure}`);
  }
  expect(`${failure.message} ${failure.cause}`).not.toContain(token.split('.')[1] ?? 'no payload');
  return failure;
}

describe('a session token', () => {
  it('is of the same workload, with the same claims, whatever they are', async () => {
    const texts = fc.string({ unit: 'grapheme' });
    const values = fc.oneof(texts, fc.integer(), fc.boolean(), fc.array(texts), fc.dictionary(texts, texts));
    const names = fc.oneof(texts, fc.constantFrom('client', 'sha256', 'claims', 'exp', 'iat', 'jti'));
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(names, values, { maxKeys: 8, noNullPrototype: true }),
        async (claims) => {
          fc.pre(!JSON.stringify(claims).includes('__proto__'));
          const held = workloadOf(claims);
          const { sessionToken } = await opened.create('', held);
          expect(sessionToken).toMatch(/^eups_[\w-]+\.[\w-]+\.[\w-]+$/);
          expect(await call(sessionToken)).toEqual({ ...held, tokenIsExchanged: true });
        },
      ),
      fuzzed(100),
    );
  });

  it('is of the same client', async () => {
    const { sessionToken, minutes } = await created(client);
    expect(minutes).toBe(60);
    expect(await call(sessionToken)).toEqual({ ...client, tokenIsExchanged: true });
  });

  it('is not exchanged again', async () => {
    const principal = await call((await created()).sessionToken);
    await expect(opened.create('', principal)).rejects.toMatchObject({
      code: 'AccessDeniedException',
      message: 'A session token is not exchanged for another: send the token that it was made of.',
      members: { policies: [] },
    });
  });

  it('says itself until when it is valid, as an OIDC token does: clients get another in time', async () => {
    const { sessionToken } = await created();
    const { exp } = JSON.parse(Buffer.from(sessionToken.split('.')[1] ?? '', 'base64url').toString());
    expect(exp * 1_000 - Date.now()).toBe(60 * minute);
  });

  it.each([1, 15, 60])('is valid for %i minutes, as configured', async (maxMinutes) => {
    const { sessionToken, minutes } = await created(workloadOf(), open({ maxMinutes }));
    expect(minutes).toBe(maxMinutes);
    pass(maxMinutes * minute - 1_000);
    expect(await call(sessionToken)).toMatchObject({ type: 'Workload' });
    pass(7_000);
    expect(await refusal(sessionToken)).toMatchObject({ code: 'ExpiredTokenException' });
  });

  it('is not valid for longer than is configured now', async () => {
    const { sessionToken } = await created();
    pass(20 * minute);
    expect(await refusal(sessionToken, open({ maxMinutes: 15 }))).toMatchObject({
      code: 'ExpiredTokenException',
    });
  });

  it('may be taken where a clock is a second behind', async () => {
    const { sessionToken } = await created();
    pass(-1_000);
    expect(await call(sessionToken)).toMatchObject({ type: 'Workload' });
  });

  it('is refused where there are none', async () => {
    const { sessionToken } = await created();
    const headers = { authorization: `Bearer ${sessionToken}` };
    await expect(authenticate(headers, { readSecret, verifyOidcToken })).rejects.toMatchObject({
      code: 'UnrecognizedClientException',
      message: 'This proxy does not use session tokens.',
    });
  });

  it('with too many claims for the headers of a request is not made, and the refusal says so', async () => {
    const fits = workloadOf({ groups: Array.from({ length: 100 }, (_, n) => `group-${n}-of-this-company`) });
    expect((await created(fits)).sessionToken.length).toBeLessThanOrEqual(maxSessionTokenCharacters);
    const large = workloadOf({ groups: Array.from({ length: 200 }, (_, n) => `group-${n}-of-this-company`) });
    await expect(opened.create('', large)).rejects.toMatchObject({
      code: 'InvalidParameterException',
      message: expect.stringMatching(
        new RegExp(
          `^As a session token this one has \\d{4,} characters, and ${maxSessionTokenCharacters} fit into the headers of a ` +
            'request. Have its issuer put fewer claims into it, or send it as it is, without exchanging it.$',
        ),
      ),
    });
  });
});

it('a session token is as long as may be, and no longer', async () => {
  const lengthOf = (characters: number) =>
    opened.create('', workloadOf({ pad: 'x'.repeat(characters) })).then(
      ({ sessionToken }) => sessionToken.length,
      () => 0,
    );
  // Base64 has four characters for three bytes.
  const near = Math.floor(((maxSessionTokenCharacters - (await lengthOf(0))) * 3) / 4);
  const made = await Promise.all([-3, -2, -1, 0, 1, 2, 3].map((more) => lengthOf(near + more)));
  expect(Math.max(...made)).toBe(maxSessionTokenCharacters);
  expect(made.at(-1)).toBe(0);
});

describe('the session token of a client token', () => {
  it('ends when its client token is revoked', async () => {
    const { sessionToken } = await created(client);
    secret = { ...secret, clients: { 'team-a-ci': [{ sha256: sha256('eup_team-a-ci_next') }] } };
    expect((await refusal(sessionToken)).code).toBe('UnrecognizedClientException');
    secret = { ...secret, clients: {} };
    expect((await refusal(sessionToken)).code).toBe('UnrecognizedClientException');
  });

  it('ends when its client token does, and says so', async () => {
    const row = { sha256: sha256(clientToken), expiresAt: at(10 * minute) };
    secret = { ...secret, clients: { 'team-a-ci': [row] } };
    const { sessionToken, minutes } = await created(client);
    expect(minutes).toBe(10);
    pass(10 * minute);
    expect((await refusal(sessionToken)).code).toBe('ExpiredTokenException');
  });
});

describe('the end of a session token', () => {
  const rotating = (opensUntil: string) => ({
    ...secret,
    sealingKey: 'n'.repeat(32),
    previousSealingKey: { key: secret.sealingKey, sealsUntil: at(minute), opensUntil },
  });

  it('is the first of its client token’s, its key’s, and the longest that is configured', async () => {
    const row = { sha256: sha256(clientToken), expiresAt: at(20 * minute) };
    secret = { ...rotating(at(10 * minute)), clients: { 'team-a-ci': [row] } };
    expect((await created(client)).minutes).toBe(10);
    expect((await created(client, open({ maxMinutes: 5 }))).minutes).toBe(5);
    secret = { ...secret, previousSealingKey: { ...rotating(at(30 * minute)).previousSealingKey } };
    expect((await created(client)).minutes).toBe(20);
  });

  it('is not that of a key before that no longer seals', async () => {
    secret = rotating(at(10 * minute));
    pass(minute);
    expect((await created()).minutes).toBe(60);
  });

  it('of a client token that is no longer valid is now: there is none', async () => {
    const row = { sha256: sha256(clientToken), expiresAt: at(0) };
    secret = { ...secret, clients: { 'team-a-ci': [row] } };
    await expect(created(client)).rejects.toMatchObject({ code: 'ExpiredTokenException' });
  });

  it('that has passed is named, with what to do', async () => {
    const { sessionToken } = await created();
    pass(60 * minute + 6_000);
    expect((await refusal(sessionToken)).message).toBe(
      'The session token has expired. Exchange a valid token for another one: POST /session-tokens.',
    );
  });
});

describe('the session token of an OIDC token', () => {
  it('ends when its issuer is no longer configured', async () => {
    const { sessionToken } = await created();
    const others = [{ issuer: `${iss}/`, audience: ['here'], audienceClaim: 'aud' as const }];
    for (const known of [[], others]) {
      expect(await refusal(sessionToken, open({ issuers: known }))).toMatchObject({
        code: 'UnrecognizedClientException',
        message: 'The session token is of an issuer (iss) that this proxy no longer knows.',
      });
    }
    expect(await call(sessionToken, open({ issuers: [...others, ...issuers] }))).toMatchObject({
      issuer: iss,
    });
  });
});

describe('the keys of session tokens', () => {
  const next = () => ({
    ...secret,
    sealingKey: 'n'.repeat(32),
    previousSealingKey: { key: secret.sealingKey, sealsUntil: at(minute), opensUntil: at(30 * minute) },
  });

  it('may be rotated: the key before signs until all instances know the next, and verifies until its end', async () => {
    const before = await created();
    const old = secret;
    secret = next();
    const meanwhile = await created();
    // It is signed with the key before, so that an instance which has not read the secret anew can verify it.
    expect(meanwhile.minutes).toBe(30);
    const rotated = secret;
    secret = old;
    expect(await call(meanwhile.sessionToken)).toMatchObject({ type: 'Workload' });
    secret = rotated;
    pass(minute);
    const after = await created();
    expect(after.minutes).toBe(60);
    for (const { sessionToken } of [before, meanwhile, after]) {
      expect(await call(sessionToken)).toMatchObject({ type: 'Workload' });
    }
    pass(29 * minute);
    expect((await refusal(before.sessionToken)).message).toContain('its sealing key has been removed');
    expect((await refusal(meanwhile.sessionToken)).code).toBe('UnrecognizedClientException');
    expect(await call(after.sessionToken)).toMatchObject({ type: 'Workload' });
  });

  it('are not the sealing keys themselves', async () => {
    const [header = '', payload = '', signature] = (await created()).sessionToken
      .replace('eups_', '')
      .split('.');
    const sign = (key: string | Buffer) =>
      createHmac('sha256', key).update(`${header}.${payload}`).digest('base64url');
    expect(signature).not.toBe(sign(secret.sealingKey));
    const derived = hkdfSync('sha256', secret.sealingKey, '', 'ecr-upload-proxy session tokens', 32);
    expect(signature).toBe(sign(Buffer.from(derived)));
  });
});

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

function forged(header: object, payload: object, key: string | Buffer = Buffer.alloc(32)) {
  const input = `${encode(header)}.${encode(payload)}`;
  return `eups_${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
}

const derivedKey = () =>
  Buffer.from(hkdfSync('sha256', secret.sealingKey, '', 'ecr-upload-proxy session tokens', 32));
const seconds = () => Math.floor(Date.now() / 1_000);
const good = { alg: 'HS256', typ: 'session+jwt' };
const times = () => ({ iat: seconds(), exp: seconds() + 60 });
const claims = { iss, sub: 'admin' };

describe('what is no session token of this proxy', () => {
  const notOfThisProxy =
    'The session token is not of this proxy, or its sealing key has been removed. Exchange a token again.';
  const notWellFormed = 'The session token is not well-formed.';
  const another = 'The session token is of another version of this proxy. Exchange a token again.';
  const hash = 'a'.repeat(64);

  it.each<[string, () => string, string]>([
    ['signed with another key', () => forged(good, { ...times(), claims }), notOfThisProxy],
    [
      'not signed',
      () => `eups_${encode({ alg: 'none' })}.${encode({ ...times(), claims })}.AA`,
      notWellFormed,
    ],
    ['without an end', () => forged(good, { iat: seconds(), claims }, derivedKey()), notWellFormed],
    ['of nobody', () => forged(good, times(), derivedKey()), another],
    [
      'of claims without an issuer',
      () => forged(good, { ...times(), claims: { sub: 'a' } }, derivedKey()),
      another,
    ],
    [
      'of claims that are numbers',
      () => forged(good, { ...times(), claims: { ...claims, n: 1 } }, derivedKey()),
      another,
    ],
    ['of a client without a hash', () => forged(good, { ...times(), client: 'a' }, derivedKey()), another],
    ...[`${hash}a`, `a${hash}`, hash.slice(1), hash.toUpperCase(), `${hash}\n`].map(
      (sha): [string, () => string, string] => [
        `of a client with the hash ${JSON.stringify(sha)}`,
        () => forged(good, { ...times(), client: 'team-a-ci', sha256: sha }, derivedKey()),
        another,
      ],
    ),
    [
      'of a client that is a number',
      () => forged(good, { ...times(), client: 1, sha256: hash }, derivedKey()),
      another,
    ],
  ])('is refused, and told so: %s', async (_, make, message) => {
    expect(await refusal(make())).toMatchObject({ code: 'UnrecognizedClientException', message });
  });

  it('is of a client only with a hash that the client has', async () => {
    const made = forged(good, { ...times(), client: 'team-a-ci', sha256: sha256(clientToken) }, derivedKey());
    expect(await call(made)).toEqual({ ...client, tokenIsExchanged: true });
    const unknown = forged(good, { ...times(), client: 'team-a-ci', sha256: hash }, derivedKey());
    expect((await refusal(unknown)).code).toBe('UnrecognizedClientException');
  });

  it.each<[string, () => string]>([
    ['signed with another key', () => forged(good, { ...times(), claims })],
    ['signed with the sealing key itself', () => forged(good, { ...times(), claims }, secret.sealingKey)],
    ['not signed', () => `eups_${encode({ alg: 'none' })}.${encode({ ...times(), claims })}.AA`],
    ['of another algorithm', () => forged({ ...good, alg: 'HS512' }, { ...times(), claims }, derivedKey())],
    ['of another kind', () => forged({ alg: 'HS256', typ: 'JWT' }, { ...times(), claims }, derivedKey())],
    ['without an end', () => forged(good, { iat: seconds(), claims }, derivedKey())],
    ['without a beginning', () => forged(good, { exp: seconds() + 60, claims }, derivedKey())],
    ['of the future', () => forged(good, { iat: seconds() + 60, exp: seconds() + 90, claims }, derivedKey())],
    ['of nobody', () => forged(good, times(), derivedKey())],
    ['of a client that is none', () => forged(good, { ...times(), client: 'a' }, derivedKey())],
    ['of claims without a subject', () => forged(good, { ...times(), claims: { iss } }, derivedKey())],
    ['only the prefix', () => 'eups_'],
    ['the prefix and a client token', () => `eups_${clientToken}`],
  ])('is refused: %s', async (_, make) => {
    expect((await refusal(make())).code).toBe('UnrecognizedClientException');
  });

  // But for the two bits of the last one that are not the signature's.
  it('is refused whatever single character of it has changed', async () => {
    const { sessionToken } = await created();
    await fc.assert(
      fc.asyncProperty(
        fc.nat(sessionToken.length - 2),
        fc.constantFrom(...'AZaz09-_.'),
        async (place, other) => {
          const changed = `${sessionToken.slice(0, place)}${other}${sessionToken.slice(place + 1)}`;
          fc.pre(changed !== sessionToken);
          await expect(call(changed)).rejects.toThrow();
        },
      ),
      fuzzed(200),
    );
  });
});

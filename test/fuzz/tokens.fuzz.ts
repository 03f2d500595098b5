// Tokens of strangers: whatever a request carries, it ends in the principal that was signed or minted, or in a refusal.

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keySetRetryMs, maxClockSkewMs, maxTokenLifetimeSeconds } from '../../api/limits.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { tokenVerifier } from '../../lambda/identity/oidc-token.ts';
import type { Headers } from '../../lambda/incoming-call.ts';
import { authenticate, type TokenCheckers } from '../../lambda/steps/authenticate.ts';
import { describeFailure } from '../../lambda/telemetry/failures.ts';
import { policySource } from '../../lib/policies.ts';
import { loadPolicies } from '../../policy/policies.ts';
import type { Principal } from '../../policy/principal.ts';
import { fuzzed } from '../support/fuzzing.ts';
import {
  type Json,
  type Key,
  makeKey,
  now,
  signHmac,
  signToken,
  startIssuer,
  type TestIssuer,
  unsigned,
} from '../support/issuer.ts';

/** In every token, and in no answer and no log line. */
const marker = 'do-not-repeat-me';

const keys = { RS256: makeKey('rsa'), ES256: makeKey('ec', 'ES256'), EdDSA: makeKey('ed', 'EdDSA') };
const stranger = makeKey('ed', 'EdDSA');
const minted = 'eup_team-a-ci_0123456789';
const expired = 'eup_team-a-ci_9876543210';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

let issuer: TestIssuer;
let checkers: TokenCheckers;
const startedAt = Date.now();

beforeAll(async () => {
  issuer = await startIssuer(Object.values(keys));
  const trusted = { issuer: issuer.issuer, audience: ['ecr-upload-proxy'], audienceClaim: 'aud' as const };
  checkers = {
    verifyOidcToken: tokenVerifier([trusted]),
    readSecret: async () => ({
      sealingKey: 'k'.repeat(32),
      clients: {
        'team-a-ci': [
          { sha256: sha256(minted) },
          { sha256: sha256(expired), expiresAt: '2020-01-01T00:00:00Z' },
        ],
      },
    }),
  };
});
afterAll(() => issuer.close());

const refusals = ['UnrecognizedClientException', 'ExpiredTokenException', 'ServiceUnavailableException'];

/** A refusal that repeats nothing of a token. Anything else that is thrown is a fault of ours. */
function refusal(failure: unknown, headers: Headers): ProxyError {
  if (!(failure instanceof ProxyError)) {
    throw failure;
  }
  expect(refusals).toContain(failure.code);
  const told = JSON.stringify([failure.message, failure.members, describeFailure(failure)]);
  expect(told).not.toContain(marker);
  for (const text of Object.values(headers)) {
    for (const part of text?.split(/[\s.]/) ?? []) {
      if (part.length > 12) {
        expect(told).not.toContain(part);
      }
    }
  }
  return failure;
}

/** All that a request can end in. */
const outcome = (headers: Headers): Promise<Principal | ProxyError> =>
  authenticate(headers, checkers).catch((error: unknown) => refusal(error, headers));

const ofToken = (token: string) => outcome({ authorization: `Bearer ${token}` });

const claims = (more: Json = {}) => issuer.claims({ marker, ...more });

/** Fast ones first: most of the time goes into signing. */
const anyKey = fc.constantFrom<Key>(keys.EdDSA, keys.EdDSA, keys.ES256, keys.RS256);

describe('a token', () => {
  it('that was changed in any place is refused', async () => {
    const originals = Object.values(keys).map((key) => signToken(key, claims()));
    for (const original of originals) {
      expect(await ofToken(original)).toMatchObject({ type: 'Workload' });
    }
    const character = fc.constantFrom(...'AZaz09-_.+/= {"\u0000é');
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...originals),
        fc.array(fc.tuple(fc.nat(1_000), fc.nat(2), fc.oneof(character, fc.string({ maxLength: 8 }))), {
          minLength: 1,
          maxLength: 4,
        }),
        async (original, changes) => {
          let changed = original;
          for (const [at, remove, insert] of changes) {
            const place = at % changed.length;
            changed = changed.slice(0, place) + insert + changed.slice(place + remove);
          }
          fc.pre(changed.trim() !== original);
          expect(await ofToken(changed)).toBeInstanceOf(ProxyError);
        },
      ),
      fuzzed(4_000),
    );
  });

  it('whose parts are those of several is refused', async () => {
    const parts = [claims(), claims({ sub: 'another' }), claims({ aud: 'another' })].flatMap((payload) =>
      Object.values(keys).map((key) => signToken(key, payload).split('.')),
    );
    const one = fc.nat(parts.length - 1);
    await fc.assert(
      fc.asyncProperty(one, one, one, async (a, b, c) => {
        fc.pre(new Set([a, b, c]).size > 1);
        const token = [parts[a]?.[0], parts[b]?.[1], parts[c]?.[2]].join('.');
        fc.pre(parts.every((whole) => whole.join('.') !== token));
        expect(await ofToken(token)).toBeInstanceOf(ProxyError);
      }),
      fuzzed(1_000),
    );
  });

  it('is taken with the header that its key has, and with no other', async () => {
    /** The right one in every second case: a token in which one thing is wrong says more than one in which all is. */
    const mostly = <Value>(right: Value, ...wrong: Value[]) =>
      fc.oneof(fc.constant(right), fc.constantFrom(...wrong));
    const alg = mostly<unknown>(
      ...(['EdDSA', 'ES256', 'RS256', 'RS512', 'PS256', 'HS256', 'none', 'NONE', 'eddsa', ''] as const),
      ...['constructor', undefined, null, ['EdDSA'], 1],
    );
    const kid = mostly<unknown>('ed', 'ec', 'rsa', 'nobody', '__proto__', '', undefined, null, ['ed'], 7);
    const typ = mostly<unknown>('JWT', 'at+jwt', undefined, 'logout+jwt', 'dpop+jwt', 'JWE', '', null, {});
    const more = mostly<Json>(
      {},
      { crit: [] },
      { crit: ['b64'], b64: false },
      { jwk: stranger.jwk },
      { x5c: ['AA'] },
    );
    const signer = mostly<'key' | 'stranger' | 'nobody' | 'hmac'>('key', 'stranger', 'nobody', 'hmac');
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(alg, kid, typ, more, signer, async (a, k, t, extra, by) => {
        const header = { alg: a, kid: k, typ: t, ...extra };
        const token = {
          key: () => signToken(keys.EdDSA, claims(), header),
          stranger: () => signToken(stranger, claims(), header),
          nobody: () => unsigned(claims(), header, 'AAAA'),
          hmac: () =>
            signHmac(keys.EdDSA.publicKey.export({ type: 'spki', format: 'pem' }), claims(), header),
        }[by]();
        const kinds: unknown[] = ['JWT', 'at+jwt', undefined];
        const isGood = by === 'key' && a === 'EdDSA' && k === 'ed' && kinds.includes(t) && !('crit' in extra);
        expect((await ofToken(token)) instanceof ProxyError).toBe(!isGood);
        if (isGood) {
          taken += 1;
        }
      }),
      fuzzed(4_000),
    );
    expect(taken).toBeGreaterThan(0);
  });

  it('is taken in its time and at no other', async () => {
    const skew = maxClockSkewMs / 1_000;
    // A second to either side of a limit is left to the clock.
    const time = (...limits: number[]) =>
      fc
        .oneof(fc.integer({ min: -200_000, max: 200_000 }), fc.constantFrom(-1e10, 1e10, ...limits))
        .filter((offset) => limits.every((limit) => Math.abs(offset - limit) > 5));
    await fc.assert(
      fc.asyncProperty(
        time(-skew, maxTokenLifetimeSeconds + skew),
        fc.option(time(skew), { nil: undefined }),
        fc.option(time(skew), { nil: undefined }),
        async (exp, nbf, iat) => {
          const at = (offset: number | undefined) => (offset === undefined ? undefined : now() + offset);
          const token = signToken(keys.EdDSA, claims({ exp: at(exp), nbf: at(nbf), iat: at(iat) }));
          const isGood =
            exp > -skew && exp < maxTokenLifetimeSeconds + skew && (nbf ?? 0) < skew && (iat ?? 0) < skew;
          expect((await ofToken(token)) instanceof ProxyError).toBe(!isGood);
        },
      ),
      fuzzed(2_000),
    );
  });
});

/** JSON as no writer would write it: any name, any escape, any number, names twice. */
const jsonString = fc.oneof(
  fc.string({ maxLength: 12, unit: 'binary' }).map((text) => JSON.stringify(text)),
  fc
    .array(fc.constantFrom('\\ud83d', '\\ude00', '\\u0000', '\\u005f', '_', 'a', 'é', '\\"'), {
      maxLength: 6,
    })
    .map((parts) => `"${parts.join('')}"`),
  fc.constantFrom(
    '"sub"',
    '"\\u0073ub"',
    '"iss"',
    '"aud"',
    '"exp"',
    '"__proto__"',
    '"constructor"',
    '"scope"',
    '"a/b"',
  ),
);
const jsonNumber = fc.oneof(
  fc.stringMatching(/^-?(0|[1-9]\d{0,24})(\.\d{1,20})?([eE][+-]?\d{1,4})?$/),
  fc.constantFrom('9007199254740993', '1e400', '-0', '1e-400', '01', '1.', '.5', 'NaN', '0x10'),
);
const { json } = fc.letrec<{ json: string; object: string }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    jsonString,
    jsonNumber,
    fc.constantFrom('true', 'false', 'null', 'nul', ''),
    fc.array(tie('json'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
    tie('object'),
  ),
  object: fc
    .array(fc.tuple(jsonString, tie('json')), { maxLength: 4 })
    .map((members) => `{${members.map(([name, value]) => `${name}:${value}`).join(',')}}`),
}));

const policies = loadPolicies(policySource);
const request = {
  action: 'InitiateLayerUpload',
  resource: {
    id: 'ecr/123456789012/team-a/app',
    attrs: { name: 'team-a/app', namespace: 'team-a', registry: 'ecr', registryId: '123456789012' },
  },
  context: {},
  now: new Date('2026-01-01T12:00:00Z'),
};

describe('a payload that an issuer signs', () => {
  it('is a workload that every reader of it would see, and a policy can decide about, or refused', async () => {
    let taken = 0;
    const member = fc.tuple(jsonString, json).map(([name, value]) => `${name}:${value}`);
    await fc.assert(
      fc.asyncProperty(
        anyKey,
        fc.array(member, { maxLength: 4 }),
        fc.boolean(),
        async (key, members, first) => {
          const registered = JSON.stringify(claims()).slice(1, -1);
          const all = first ? [registered, ...members] : [...members, registered];
          const payload = `{${all.join(',')}}`;
          const end = await ofToken(signToken(key, payload));
          if (end instanceof ProxyError) {
            return;
          }
          taken += 1;
          if (end.type !== 'Workload') {
            throw new Error('a client by a token of an issuer');
          }
          const read: Json = JSON.parse(payload);
          expect(end).toMatchObject({ issuer: read.iss, subject: read.sub });
          for (const [name, value] of Object.entries(read)) {
            if (typeof value === 'string') {
              expect(end.claims[name]).toBe(value);
            }
            if (typeof value === 'number') {
              expect(Number(end.claims[name])).toBe(value === 0 ? 0 : value);
            }
          }
          for (const text of Object.entries(end.claims).flat(2)) {
            expect(text.isWellFormed()).toBe(true);
          }
          expect(Object.keys(end.claims)).not.toContain('__proto__');
          const { allowed, errors } = policies.decide({ ...request, principal: end });
          expect({ allowed, errors }).toEqual({ allowed: false, errors: [] });
        },
      ),
      fuzzed(6_000),
    );
    expect(taken).toBeGreaterThan(0);
  });

  it('nests and repeats to no effect', async () => {
    const deep = fc.tuple(fc.constantFrom('[', '{"a":'), fc.nat(2_000)).map(([open, depth]) => {
      const close = open === '[' ? ']' : '}';
      return `${open.repeat(depth)}1${close.repeat(depth)}`;
    });
    await fc.assert(
      fc.asyncProperty(deep, fc.nat(700), async (value, times) => {
        const payload = `{"v":${value},${JSON.stringify(claims({ many: Array(times).fill(1) })).slice(1)}`;
        await ofToken(signToken(keys.EdDSA, payload));
      }),
      fuzzed(300),
    );
  });

  it('has its issuer asked for keys once in half a minute at most, whatever key ids come', () => {
    const times = 2 + (Date.now() - startedAt) / keySetRetryMs;
    expect(issuer.state.requests.length).toBeLessThanOrEqual(2 * times);
  });
});

describe('credentials of any form', () => {
  it('are those of a client only where its token is among them, whole', async () => {
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const secret = fc.oneof(
      fc.constantFrom(minted, expired),
      fc
        .constantFrom(minted, expired)
        .chain((token) =>
          fc
            .tuple(fc.nat(token.length), fc.string({ minLength: 1, maxLength: 3, unit: 'grapheme' }))
            .map(([at, insert]) => token.slice(0, at) + insert + token.slice(at)),
        ),
      fc.constantFrom('eup_team-a-ci_', 'eup__', 'eup_constructor_x', `eup_team-a-ci_${sha256(minted)}`, ''),
      fc.string({ maxLength: 40, unit: 'binary' }),
    );
    const space = fc.constantFrom(' ', '  ', '\t', '');
    const scheme = fc.constantFrom('Bearer', 'bearer', 'Basic', 'BASIC', 'Digest', 'AWS4-HMAC-SHA256', '');
    await fc.assert(
      fc.asyncProperty(
        secret,
        scheme,
        space,
        fc.boolean(),
        fc.option(secret, { nil: undefined }),
        async (token, name, gap, hasUser, session) => {
          const isBasic = name.toLowerCase() === 'basic';
          const credentials = isBasic ? base64(hasUser ? `user:${token}` : token) : token;
          const headers = { authorization: `${name}${gap}${credentials}`, 'x-amz-security-token': session };
          const end = await outcome(headers);
          const isWhole = [token.trim(), session].includes(minted);
          if (!isWhole) {
            expect(end).toBeInstanceOf(ProxyError);
          }
          if (!(end instanceof ProxyError)) {
            expect(end).toEqual({ type: 'Client', id: 'team-a-ci' });
          }
        },
      ),
      fuzzed(6_000),
    );
  });
});

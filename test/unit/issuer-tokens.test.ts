// The tokens of an issuer, to the second and to the word: what is said of each, and when its keys are fetched.

import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Issuer } from '../../api/issuers.ts';
import {
  keySetFreshMs,
  keySetMaxAgeMs,
  keySetRetryMs,
  maxClockSkewMs,
  maxKeysOfOneId,
  maxTokenLifetimeSeconds,
} from '../../api/limits.ts';
import { tokenVerifier } from '../../lambda/identity/oidc-token.ts';
import { proxyErrorFrom } from '../support/forwarding.ts';
import { type Json, type Key, makeKey, signToken } from '../support/issuer.ts';

const iss = 'https://issuer.example';
const discovery = `${iss}/.well-known/openid-configuration`;
const keySet = `${iss}/keys`;
const issuer: Issuer = { issuer: iss, audience: ['here', 'there'], audienceClaim: 'aud' };

const key = makeKey('key-1', 'EdDSA');
const next = makeKey('key-2', 'EdDSA');
const another = makeKey('key-1', 'EdDSA');

const start = 1_800_000_000_000;
const skew = maxClockSkewMs / 1_000;
const second = (offset: number) => Date.now() / 1_000 + offset;
const iso = (seconds: number) => new Date(seconds * 1_000).toISOString();

let published: Json[];
let status: number;
let asked: string[];
let held: Promise<void>;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: start });
  published = [key.jwk];
  status = 200;
  asked = [];
  held = Promise.resolve();
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(url);
    const bodies: Record<string, unknown> = {
      [discovery]: { issuer: iss, jwks_uri: keySet },
      [keySet]: { keys: [...published] },
    };
    const body = JSON.stringify(bodies[url]);
    await held;
    return new Response(body, { status });
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);
/** Each fetch asks twice: for the discovery document, and for the key set. */
const fetches = () => asked.splice(0).filter((url) => url === keySet).length;

function open(more: Partial<Issuer> = {}) {
  const report = vi.fn();
  return { verify: tokenVerifier([{ ...issuer, ...more }], report), report };
}

const token = (claims: Json = {}, by: Key = key, header: Json = {}) =>
  signToken(by, { iss, sub: 'me', aud: 'here', exp: Math.ceil(second(300)), ...claims }, header);

const refusal = (text: string, more: Partial<Issuer> = {}) => proxyErrorFrom(open(more).verify(text));

describe('a token', () => {
  it('makes a workload of its issuer, its subject and its claims', async () => {
    expect(await open().verify(token({ team: 'a', aud: ['x', 'there'] }))).toEqual({
      ...{ type: 'Workload', id: `${iss}#me`, issuer: iss, subject: 'me' },
      claims: expect.objectContaining({ iss, sub: 'me', aud: ['x', 'there'], team: 'a' }),
    });
  });

  it('of an issuer that is not configured costs no fetch', async () => {
    expect(await refusal(token({ iss: `${iss}/` }))).toMatchObject({
      code: 'UnrecognizedClientException',
      message: 'The token’s issuer (iss) is not one that this proxy knows.',
    });
    expect(fetches()).toBe(0);
  });

  it('is taken without its issuer’s discovery where the key set is configured', async () => {
    await open({ jwksUri: keySet }).verify(token());
    expect(asked).toEqual([keySet]);
  });

  it.each<[string, () => string, string, string?]>([
    ['another key of the same name', () => token({}, another), 'The token’s signature is not valid.'],
    [
      'another audience',
      () => token({ aud: 'elsewhere' }),
      'The token’s audience (aud) is not the one expected here: here or there.',
    ],
    [
      'no audience',
      () => token({ aud: undefined }),
      'The token’s audience (aud) is not the one expected here: here or there.',
    ],
    [
      'a beginning ahead',
      () => token({ nbf: second(skew + 1) }),
      `The token is not valid before ${iso(start / 1_000 + skew + 1)} (nbf).`,
    ],
    [
      'an end that has passed',
      () => token({ exp: second(-skew - 1) }),
      `The token’s expiry (exp) has passed: ${iso(start / 1_000 - skew - 1)}. Get a new one from its issuer.`,
      'ExpiredTokenException',
    ],
    [
      'an issue in the future',
      () => token({ iat: second(skew + 1) }),
      `The token was issued in the future: ${iso(start / 1_000 + skew + 1)} (iat). Its issuer’s clock is wrong.`,
    ],
    [
      'an end too far ahead',
      () => token({ exp: second(skew + maxTokenLifetimeSeconds + 1) }),
      `The token’s expiry (exp) is too far ahead: ${iso(start / 1_000 + skew + maxTokenLifetimeSeconds + 1)}. ` +
        `Here a token may be valid for ${maxTokenLifetimeSeconds} s more (maxTokenLifetimeSeconds of its issuer). ` +
        'Get one for a shorter time.',
    ],
  ])('with %s is refused, and told so', async (_, make, message, code = 'UnrecognizedClientException') => {
    const error = await refusal(make());
    expect(error).toMatchObject({ code, message, cause: undefined });
  });

  it.each<[string, () => Json]>([
    ['begins within the clock’s skew', () => ({ nbf: second(skew) })],
    ['was issued within the clock’s skew', () => ({ iat: second(skew) })],
    ['ended within the clock’s skew', () => ({ exp: second(-skew + 1) })],
    ['ends as far ahead as it may', () => ({ exp: second(skew + maxTokenLifetimeSeconds) })],
    ['does not say when it was issued', () => ({ iat: undefined, nbf: undefined })],
  ])('that %s is taken', async (_, claims) => {
    expect(await open().verify(token(claims()))).toMatchObject({ subject: 'me' });
  });

  it('ends as far ahead as its issuer’s configuration allows', async () => {
    const more = { maxTokenLifetimeSeconds: 60 };
    expect(await open(more).verify(token({ exp: second(skew + 60) }))).toMatchObject({ subject: 'me' });
    expect((await refusal(token({ exp: second(skew + 61) }), more)).message).toContain('valid for 60 s more');
  });

  describe('of an issuer whose audience is its client_id', () => {
    const cognito: Partial<Issuer> = { audienceClaim: 'client_id' };
    it('is taken with it, and without aud', async () => {
      const text = token({ aud: undefined, client_id: 'there' });
      expect(await open(cognito).verify(text)).toMatchObject({ subject: 'me' });
      expect(await open(cognito).verify(token({ aud: 'x', client_id: 'here' }))).toMatchObject({
        subject: 'me',
      });
    });

    it.each([{}, { client_id: 'elsewhere' }, { client_id: ['here'] }, { client_id: '' }])(
      'is refused with %j',
      async (claims) => {
        expect(await refusal(token(claims), cognito)).toMatchObject({
          code: 'UnrecognizedClientException',
          message: 'The token’s audience (client_id) is not the one expected here: here or there.',
        });
      },
    );

    it('is the only one whose client_id is compared', async () => {
      expect(await open().verify(token({ client_id: 'elsewhere' }))).toMatchObject({ subject: 'me' });
    });
  });
});

describe('a failure that the library does not foresee', () => {
  it.each<[unknown, string]>([
    [new TypeError('it quotes the token'), 'TypeError'],
    ['a text', 'string'],
  ])('is a refusal that says only its kind, and that to the log alone: %s', async (failure, kind) => {
    vi.spyOn(SimpleJwksCache.prototype, 'addJwks').mockImplementation(() => {
      throw failure;
    });
    const error = await refusal(token());
    expect(error).toMatchObject({
      code: 'UnrecognizedClientException',
      message: 'The token’s signature cannot be checked.',
      cause: new Error(kind),
    });
  });
});

describe('several keys of one name', () => {
  it('are all tried, as many as the limit says', async () => {
    const others = (length: number) => Array.from({ length }, () => makeKey('key-1', 'EdDSA').jwk);
    published = [...others(maxKeysOfOneId - 1), key.jwk];
    expect(await open().verify(token())).toMatchObject({ subject: 'me' });
    published = [...others(maxKeysOfOneId), key.jwk];
    expect((await refusal(token())).message).toBe('The token’s signature is not valid.');
  });

  it('leave out those that cannot verify, which do not count', async () => {
    const broken = { ...key.jwk, x: 'AAAA' };
    published = [...Array(maxKeysOfOneId).fill(broken), key.jwk];
    expect(await open().verify(token())).toMatchObject({ subject: 'me' });
  });

  it('of which none can verify say what is wrong with the first', async () => {
    published = [
      { ...key.jwk, x: 'AAAA' },
      { ...key.jwk, x: 'BBBB' },
    ];
    expect(await refusal(token())).toMatchObject({
      code: 'UnrecognizedClientException',
      message: 'What the token’s issuer publishes under the token’s key id (kid) is not a usable key.',
    });
  });

  it('have the refusal of the one that has signed it', async () => {
    published = [another.jwk, key.jwk, makeKey('key-1', 'EdDSA').jwk];
    expect((await refusal(token({ aud: 'elsewhere' }))).message).toContain('audience');
  });
});

describe('the keys of an issuer', () => {
  it('are fetched once, for as long as they are fresh', async () => {
    const { verify } = open();
    await Promise.all([verify(token()), verify(token())]);
    expect(fetches()).toBe(1);
    pass(keySetFreshMs);
    await verify(token());
    expect(fetches()).toBe(0);
    pass(1);
    await verify(token());
    expect(fetches()).toBe(1);
  });

  it('that are withdrawn verify no more once they are fetched again', async () => {
    const { verify } = open();
    await verify(token());
    published = [next.jwk];
    pass(keySetFreshMs + 1);
    expect(await proxyErrorFrom(verify(token()))).toMatchObject({
      code: 'UnrecognizedClientException',
      message: 'The token’s signature cannot be checked: its issuer has no key of its key id (kid).',
      retryAfterSeconds: undefined,
    });
  });

  it('serve on while new ones cannot be had, until they are too old', async () => {
    const { verify } = open();
    await verify(token());
    status = 503;
    pass(keySetMaxAgeMs);
    expect(await verify(token())).toMatchObject({ subject: 'me' });
    pass(1);
    expect((await proxyErrorFrom(verify(token()))).code).toBe('ServiceUnavailableException');
  });

  it('are not asked for again at once after a failure, and Retry-After says when they are', async () => {
    const { verify, report } = open();
    status = 503;
    expect(await proxyErrorFrom(verify(token()))).toMatchObject({
      code: 'ServiceUnavailableException',
      message: 'The keys of the token’s issuer cannot be fetched now. Try again.',
      retryAfterSeconds: keySetRetryMs / 1_000,
      cause: expect.objectContaining({ name: 'KeySetError' }),
    });
    asked.length = 0;
    pass(keySetRetryMs - 1);
    expect(await proxyErrorFrom(verify(token()))).toMatchObject({
      code: 'ServiceUnavailableException',
      retryAfterSeconds: 1,
    });
    expect(asked).toEqual([]);
    status = 200;
    pass(1);
    expect(await verify(token())).toMatchObject({ subject: 'me' });
    expect(report).not.toHaveBeenCalled();
  });

  it('are at hand again after a failure, and are then as fresh as any', async () => {
    const { verify } = open();
    await verify(token());
    status = 503;
    pass(keySetFreshMs + 1);
    await verify(token());
    status = 200;
    pass(keySetRetryMs);
    asked.length = 0;
    await verify(token());
    await proxyErrorFrom(verify(token({}, next)));
    expect(fetches()).toBe(2);
  });

  it('that are not where they are looked for are the operator’s to mend: reported, and not to be tried again', async () => {
    const { verify, report } = open();
    status = 404;
    const lasting = {
      code: 'InternalFailure',
      message:
        'The keys of the token’s issuer are not where this proxy looks for them. Trying again does not help: tell ' +
        'its operator, who finds the reason in the proxy’s log.',
      retryAfterSeconds: undefined,
      cause: expect.objectContaining({ name: 'KeySetError', isLasting: true }),
    };
    expect(await proxyErrorFrom(verify(token()))).toMatchObject(lasting);
    expect(await proxyErrorFrom(verify(token()))).toMatchObject(lasting);
    expect(report.mock.calls).toEqual([
      ['issuer', 'The keys of an issuer are not where they are looked for.', lasting.cause],
    ]);
  });
});

describe('a key that is not at hand', () => {
  const unknown = {
    code: 'UnrecognizedClientException',
    message: 'The token’s signature cannot be checked: its issuer has no key of its key id (kid).',
  };
  const notYet = (retryAfterSeconds: number) => ({
    code: 'ServiceUnavailableException',
    message:
      'The keys of the token’s issuer, as they were fetched before, have none of its key id (kid). They will be ' +
      'fetched again: try again then.',
    retryAfterSeconds,
  });

  it('is looked for once, in a set that was just fetched for it', async () => {
    const { verify } = open();
    expect(await proxyErrorFrom(verify(token({}, next)))).toMatchObject(unknown);
    expect(fetches()).toBe(1);
  });

  it('is looked for in a new set, and found there after a rotation', async () => {
    const { verify } = open();
    await verify(token());
    published = [key.jwk, next.jwk];
    expect(await verify(token({}, next))).toMatchObject({ subject: 'me' });
    expect(fetches()).toBe(2);
    expect(await verify(token({}, next))).toMatchObject({ subject: 'me' });
    expect(fetches()).toBe(0);
  });

  it('is looked for again after a while alone, which Retry-After says', async () => {
    const { verify } = open();
    await verify(token());
    expect(await proxyErrorFrom(verify(token({}, next)))).toMatchObject(unknown);
    fetches();
    pass(keySetRetryMs - 1_500);
    expect(await proxyErrorFrom(verify(token({}, next)))).toMatchObject(notYet(2));
    expect(fetches()).toBe(0);
    pass(1_500);
    published = [next.jwk];
    expect(await verify(token({}, next))).toMatchObject({ subject: 'me' });
    expect(fetches()).toBe(1);
  });

  it('may be in a set whose fetch was under way when its token came', async () => {
    const { verify } = open();
    await verify(token());
    let release = () => {};
    held = new Promise((resolve) => {
      release = resolve;
    });
    const first = proxyErrorFrom(verify(token({}, makeKey('key-3', 'EdDSA'))));
    await vi.waitUntil(() => asked.length === 3, { timeout: 60_000 });
    const second = proxyErrorFrom(verify(token({}, next)));
    release();
    expect(await first).toMatchObject(unknown);
    expect(await second).toMatchObject(notYet(keySetRetryMs / 1_000));
    expect(fetches()).toBe(2);
  });
});

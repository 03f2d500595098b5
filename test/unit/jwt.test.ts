// What a token must be before any key is asked for: its text, its numbers, its kind.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxNumberCharacters } from '../../api/limits.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { decimalOf } from '../../lambda/identity/decimal.ts';
import { readJwt } from '../../lambda/identity/jwt.ts';
import { fuzzed } from '../support/fuzzing.ts';
import { type Json, unsigned } from '../support/issuer.ts';

const registered = { iss: 'https://issuer.example.com', sub: 'me', exp: 2_000_000_000 };
const head = { alg: 'RS256', kid: 'key-1' };

/** With members as they are written, which JSON.stringify could not write. */
const written = (members: string) => `{${members},${JSON.stringify(registered).slice(1)}`;

const token = (claims: Json | string = {}, header: Json | string = {}) =>
  unsigned(
    typeof claims === 'string' ? claims : { ...registered, ...claims },
    typeof header === 'string' ? header : { ...head, ...header },
    'AAAA',
  );

function refusal(text: string): ProxyError {
  try {
    readJwt(text);
  } catch (error) {
    if (error instanceof ProxyError) {
      return error;
    }
    throw error;
  }
  throw new Error('not refused');
}

describe('a number among the claims', () => {
  it.each([
    ['9007199254740993', '9007199254740993'],
    ['9007199254740992', '9007199254740992'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
    ['0.1000000000000000055511151231257827', '0.1000000000000000055511151231257827'],
    ['1e2', '100'],
    ['1E+2', '100'],
    ['100.0', '100'],
    ['12.50', '12.5'],
    ['125e-1', '12.5'],
    ['1e-3', '0.001'],
    ['-0', '0'],
    ['-0.0e5', '0'],
    ['0e64', '0'],
    ['-1.5', '-1.5'],
    ['1e21', '1000000000000000000000'],
  ])('%s is %s for a policy', (source, text) => {
    expect(readJwt(token(written(`"n":${source}`))).claims.n).toBe(text);
  });

  it.each(['1e64', '1e400', '1e-400', '-1e999999999', `${'1'.repeat(65)}`, `0.${'0'.repeat(7_000)}1`])(
    '%s is more than can be one, and refused',
    (source) => {
      expect(refusal(token(written(`"n":${source}`))).message).toContain('well-formed');
    },
  );

  it.each(['', '-', '+1', '1.', '.5', '1e', 'x1', '1x', '0x1', ' 1', '1 ', 'NaN'])(
    '%j is none, wherever it comes from',
    (source) => {
      expect(() => decimalOf(source)).toThrow(new SyntaxError('not a number of JSON'));
    },
  );

  const longest = '9'.repeat(maxNumberCharacters);
  it.each([
    longest,
    `${longest.slice(2)}.9`,
    `-${longest.slice(1)}`,
    `1e${maxNumberCharacters - 1}`,
    `0e${maxNumberCharacters}`,
  ])('may have as many characters as %s', (source) => {
    expect(() => decimalOf(source)).not.toThrow();
  });

  it.each([
    `1${longest}`,
    `${longest}.0`,
    `-${longest}`,
    `1e${maxNumberCharacters}`,
    `0e${maxNumberCharacters + 1}`,
    `0e-${maxNumberCharacters + 1}`,
  ])('may not have as many as %s', (source) => {
    expect(() => decimalOf(source)).toThrow(
      new RangeError(`a number of more than ${maxNumberCharacters} characters`),
    );
  });

  it('is as exact in an object and in a list', () => {
    const { claims } = readJwt(token(written('"o":{"n":9007199254740993},"l":["a",9007199254740993,true]')));
    expect(claims).toMatchObject({ 'o/n': '9007199254740993', l: ['a', '9007199254740993', 'true'] });
  });

  const digits = fc.stringMatching(/^\d{1,20}$/);
  const whole = fc.stringMatching(/^(0|[1-9]\d{0,20})$/);
  const number = fc
    .tuple(
      fc.constantFrom('', '-'),
      whole,
      fc.option(digits, { nil: undefined }),
      fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-'), fc.nat(20)), { nil: undefined }),
    )
    .map(([sign, integer, fraction, exponent]) =>
      [sign, integer, fraction === undefined ? '' : `.${fraction}`, exponent?.join('') ?? ''].join(''),
    )
    .filter((text) => text.length <= 40);

  /** The value times 10^60, as an integer. */
  const scaled = (text: string): bigint => {
    const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
    const [integer = '', fraction = ''] = mantissa.split('.');
    return BigInt(`${integer}${fraction}`) * 10n ** BigInt(60 - fraction.length + Number(exponent));
  };

  it('has the same text as another if and only if it is the same number', () => {
    fc.assert(
      fc.property(number, number, (one, other) => {
        fc.pre(Math.max(one.length, other.length) < maxNumberCharacters);
        expect(scaled(decimalOf(one))).toBe(scaled(one));
        expect(decimalOf(one) === decimalOf(other)).toBe(scaled(one) === scaled(other));
        expect(decimalOf(decimalOf(one))).toBe(decimalOf(one));
      }),
      fuzzed(2_000),
    );
  });

  it('has the text that JavaScript writes, where it is a safe integer', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (n) => {
        expect(decimalOf(String(n))).toBe(String(n));
      }),
      fuzzed(500),
    );
  });
});

describe('text that is not what it seems', () => {
  const lone = '\\ud800';
  it.each<[string, () => string]>([
    ['a lone surrogate in a claim', () => token(written(`"a":"${lone}"`))],
    ['a lone surrogate in the name of a claim', () => token(written(`"${lone}":"a"`))],
    ['a lone surrogate in a list', () => token(written(`"a":["b","\\udfff"]`))],
    ['a lone surrogate deep within', () => token(written(`"a":{"b":[{"c":"x${lone}"}]}`))],
    ['two surrogates in the wrong order', () => token(written(`"a":"\\udc00\\ud800"`))],
    ['a lone surrogate in the subject', () => token(`{"sub":"${lone}","iss":"x","exp":2000000000}`)],
    ['a lone surrogate in the issuer', () => token(`{"iss":"${lone}","sub":"x","exp":2000000000}`)],
    ['a lone surrogate in the key id', () => token({}, `{"alg":"RS256","kid":"${lone}"}`)],
    ['a claim named __proto__', () => token(written('"__proto__":["a"]'))],
    ['a claim named __proto__ in escapes', () => token(written('"\\u005f_proto__":"a"'))],
    ['two claims of one name, one of them in an object', () => token({ 'a/b': 1, a: { b: 2 } })],
    ['bytes that are no UTF-8', () => token({ a: 'x' }).replace(/\.[^.]*\./, `.${notUtf8}.`)],
    ['base64url with bits to spare in the signature', () => token().replace(/AAAA$/, 'AB')],
    ['base64url with one character too many', () => `${token()}A`],
  ])('such as %s is refused', (_, make) => {
    expect(refusal(make())).toMatchObject({
      code: 'UnrecognizedClientException',
      message: 'The token is not a well-formed JWT.',
    });
  });

  const notUtf8 = Buffer.concat([
    Buffer.from('{"sub":"'),
    Buffer.from([0xff]),
    Buffer.from('","iss":"x","exp":2000000000}'),
  ]).toString('base64url');

  it('passes where it is whole: pairs of surrogates, and letters of any script', () => {
    expect(readJwt(token(written('"a":"\\ud83d\\ude00 Ä 漢"'))).claims.a).toBe('😀 Ä 漢');
  });
});

describe('the kind of a token', () => {
  it.each([undefined, 'JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt', 'application/jwt', 'JOSE'])(
    '%s is taken',
    (typ) => {
      expect(readJwt(token({}, typ === undefined ? {} : { typ })).registered.sub).toBe('me');
    },
  );

  it.each([
    'logout+jwt',
    'application/logout+jwt',
    'secevent+jwt',
    'dpop+jwt',
    'token-introspection+jwt',
    'oauth-authz-req+jwt',
    'entity-statement+jwt',
    'wit+jwt',
    'vc+sd-jwt',
    'passport',
    'japplication/wt',
    'application/application/jwt',
    'jwt ',
    '',
  ])('%j is refused', (typ) => {
    expect(refusal(token({}, { typ })).message).toContain('another kind (typ)');
  });

  it.each([null, 1, ['JWT'], { a: 1 }])('%j, which is no text, is refused', (typ) => {
    expect(refusal(token({}, { typ })).message).toContain('well-formed');
  });

  it('is that of a security event where the claims say so, whatever typ says', () => {
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
    expect(refusal(token({ events })).message).toContain('another kind');
  });
});

describe('the header of a token', () => {
  it('names its key', () => {
    expect(refusal(token({}, { kid: undefined })).message).toBe('The token’s signature names no key (kid).');
  });

  it.each(['HS256', 'none', 'RS1', 'rs256', undefined])(
    'names one of the algorithms that are taken, which are named instead of %s',
    (alg) => {
      expect(refusal(token({}, { alg })).message).toBe(
        'The token’s signature is of an algorithm that is not taken: use RS256, RS384, RS512, ES256, ES384, ES512, EdDSA.',
      );
    },
  );

  it('has no extension that has to be understood', () => {
    expect(refusal(token({}, { crit: ['exp'] })).message).toContain('well-formed');
  });
});

describe('the parts of a token', () => {
  it('are kept as they were sent', () => {
    const text = token();
    const { encoded } = readJwt(text);
    expect(encoded.signature).toBe('AAAA');
    expect(Object.values(encoded).join('.')).toBe(text);
  });

  it('have no signature where it is left out', () => {
    expect(readJwt(token().replace(/\.AAAA$/, '')).encoded.signature).toBe('');
  });

  it('may begin with a byte order mark', () => {
    const text = token(`\uFEFF${JSON.stringify(registered)}`, `\uFEFF${JSON.stringify(head)}`);
    expect(readJwt(text).registered.sub).toBe('me');
  });
});

describe('a claim that is an object', () => {
  it('has its members among the claims, under both names', () => {
    const kubernetes = {
      namespace: 'team-a',
      serviceaccount: { name: 'builder', uid: '1' },
      warnafter: 1_700_000_000,
    };
    expect(readJwt(token({ 'kubernetes.io': kubernetes, empty: {}, list: [{ a: 1 }] })).claims).toEqual({
      ...registered,
      exp: '2000000000',
      'kubernetes.io/namespace': 'team-a',
      'kubernetes.io/serviceaccount/name': 'builder',
      'kubernetes.io/serviceaccount/uid': '1',
      'kubernetes.io/warnafter': '1700000000',
    });
  });
});

describe('the registered claims', () => {
  it.each<[string, Json, string]>([
    ['an audience that is a number', { aud: 1 }, 'well-formed'],
    ['an audience with a number among texts', { aud: ['a', 1] }, 'well-formed'],
    ['an audience that is null', { aud: null }, 'well-formed'],
    ['an iat that is a text', { iat: '1' }, 'well-formed'],
    ['an nbf that is null', { nbf: null }, 'well-formed'],
    ['an nbf that is a text', { nbf: '1' }, 'well-formed'],
    ['an nbf that is true', { nbf: true }, 'well-formed'],
    ['an iat that is a list', { iat: [1] }, 'well-formed'],
    ['an issuer that is a number', { iss: 7 }, 'issuer (iss)'],
    ['no expiry', { exp: undefined }, 'expiry (exp)'],
    ['an expiry that is true', { exp: true }, 'expiry (exp)'],
    ['a subject that is a list', { sub: ['me'] }, 'subject (sub)'],
    ['an empty subject', { sub: '' }, 'subject (sub)'],
  ])('with %s are refused', (_, claims, detail) => {
    expect(refusal(token(claims)).message).toContain(detail);
  });

  // Beyond them no Date can say which day it is.
  describe.each([
    ['exp', 'expiry (exp)'],
    ['nbf', 'well-formed'],
    ['iat', 'well-formed'],
  ])('%s', (claim, detail) => {
    it.each([99_999_999_999, -99_999_999_999, 0, 1.5])('may be %d', (seconds) => {
      expect(readJwt(token({ [claim]: seconds })).registered).toHaveProperty(claim, seconds);
    });

    it.each(['1e11', '-1e11', '8640000000001', '1e60', '-1e60'])('may not be %s', (seconds) => {
      const others = Object.entries(registered).filter(([name]) => name !== claim);
      const members = JSON.stringify(Object.fromEntries(others)).slice(1);
      expect(refusal(token(`{"${claim}":${seconds},${members}`)).message).toContain(detail);
    });
  });

  it.each(['here', ['here', 'there'], []])('may have the audience %j', (aud) => {
    expect(readJwt(token({ aud })).registered.aud).toEqual(aud);
  });

  it('may be accompanied by a scope that is a list, and a jti that is a number', () => {
    expect(readJwt(token({ scope: ['a', 'b'], jti: 7 })).claims).toMatchObject({
      scope: ['a', 'b'],
      jti: '7',
    });
  });
});

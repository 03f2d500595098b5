// Which key goes with which algorithm, alone: every kind of key with each of them.

import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { isJwk, type Jwk } from 'aws-jwt-verify/jwk';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Algorithm, algorithms, findKeys, keyFault } from '../../lambda/identity/signing-key.ts';

function jwkOf({ publicKey }: { publicKey: KeyObject }, more: object = {}): Jwk {
  const jwk = z.json().parse({ ...publicKey.export({ format: 'jwk' }), kid: 'key-1', ...more });
  if (!isJwk(jwk)) {
    throw new Error('not a key');
  }
  return jwk;
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const curve = (namedCurve: string) => jwkOf(generateKeyPairSync('ec', { namedCurve }));

const keys = {
  rsa: jwkOf(rsa),
  p256: curve('P-256'),
  p384: curve('P-384'),
  p521: curve('P-521'),
  secp256k1: curve('secp256k1'),
  ed25519: jwkOf(generateKeyPairSync('ed25519')),
  ed448: jwkOf(generateKeyPairSync('ed448')),
  x25519: jwkOf(generateKeyPairSync('x25519')),
  secret: { kty: 'oct', kid: 'key-1', k: 'c2VjcmV0' },
  'rsa on a curve': jwkOf(rsa, { crv: 'P-256' }),
};

const goesWith: Record<Algorithm, keyof typeof keys> = {
  RS256: 'rsa',
  RS384: 'rsa',
  RS512: 'rsa',
  ES256: 'p256',
  ES384: 'p384',
  ES512: 'p521',
  EdDSA: 'ed25519',
};

const another = 'The token’s signature is of another algorithm than its key.';

describe.each(algorithms)('%s', (alg) => {
  it.each(Object.entries(keys))('takes its own kind of key and no other: %s', (name, jwk) => {
    expect(keyFault(jwk, alg)).toBe(goesWith[alg] === name ? undefined : another);
  });

  it('takes a key that says nothing of its algorithm, or names this one, and none that names another', () => {
    const own = keys[goesWith[alg]];
    expect(keyFault({ ...own, alg }, alg)).toBeUndefined();
    for (const other of ['', 'none', 'HS256', ...algorithms.filter((one) => one !== alg)]) {
      expect(keyFault({ ...own, alg: other }, alg)).toBe(another);
    }
  });
});

describe('a key of the set', () => {
  const found = (more: object, kid = 'key-1') =>
    findKeys([jwkOf(rsa, more)], { alg: 'RS256', kid }).length === 1;

  it.each<[boolean, object]>([
    [true, {}],
    [true, { use: 'sig' }],
    [true, { key_ops: ['verify'] }],
    [true, { key_ops: ['sign', 'verify'] }],
    [true, { use: 'sig', key_ops: ['verify'] }],
    [false, { use: 'enc' }],
    [false, { use: '' }],
    [false, { use: 'sig', key_ops: ['encrypt'] }],
    [false, { use: 'enc', key_ops: ['verify'] }],
    [false, { key_ops: [] }],
    [false, { key_ops: ['sign'] }],
  ])('is for signatures: %s, with %j', (isOne, more) => {
    expect(found(more)).toBe(isOne);
  });

  it('is the one of the token’s key id', () => {
    expect(found({}, 'key-2')).toBe(false);
  });

  it('that fits the algorithm goes before others of its key id, which are found where none fits', () => {
    const set = [keys.p256, keys.rsa, keys.ed25519];
    expect(findKeys(set, { alg: 'RS256', kid: 'key-1' })).toEqual([keys.rsa]);
    expect(findKeys(set, { alg: 'ES384', kid: 'key-1' })).toEqual(set);
  });
});

describe('a key of RSA', () => {
  const ofBits = (modulusLength: number) => jwkOf(generateKeyPairSync('rsa', { modulusLength }));

  it.each([
    ['of 2,047 bits', { ...ofBits(2_047) }, '2047 bits'],
    ['of 1,024 bits', { ...ofBits(1_024) }, '1024 bits'],
    ['with the exponent 1', { ...keys.rsa, e: 'AQ' }, 'the exponent 1:'],
    ['with the exponent 2', { ...keys.rsa, e: 'Ag' }, 'the exponent 2:'],
    ['with an even exponent', { ...keys.rsa, e: 'AQAA' }, 'the exponent 65536:'],
    ['without a modulus', { kty: 'RSA', kid: 'key-1', e: 'AQAB' }, 'not a usable key'],
  ])('%s is refused', (_, jwk, said) => {
    expect(keyFault(jwk, 'RS256')).toContain(said);
  });

  it('may have the exponent 3', () => {
    expect(keyFault({ ...keys.rsa, e: 'Aw' }, 'RS256')).toBeUndefined();
  });
});

// Where half a character may hide in a value, and that it is found there.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWellFormed } from '../../api/well-formed.ts';

const half = '\ud800';

describe('text that is not well-formed', () => {
  it.each<[string, unknown]>([
    ['a text', `a${half}`],
    ['an element', ['a', `${half}b`]],
    ['a member', { a: { b: half } }],
    ['the name of a member', { a: [{ [half]: 1 }] }],
  ])('is found as %s', (_, value) => {
    expect(isWellFormed(value)).toBe(false);
  });

  it('is found however deep it lies', () => {
    const depth = 100_000;
    expect(isWellFormed(JSON.parse(`${'['.repeat(depth)}"\\ud800"${']'.repeat(depth)}`))).toBe(false);
  });

  it('is nowhere in what has none', () => {
    fc.assert(fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), isWellFormed));
  });

  it('is nowhere in bytes', () => {
    expect(isWellFormed({ layerPartBlob: Buffer.from([0xed, 0xa0, 0x80]) })).toBe(true);
  });

  it('is not looked for in bytes, of which there may be millions', () => {
    expect(isWellFormed(Object.assign(new Uint8Array(1), { [half]: half }))).toBe(true);
  });
});

// JSON of untrusted clients: what is counted before it is parsed, and what two parsers would read differently.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isJsonObject, JsonFault, parseStrictJson } from '../../api/strict-json.ts';
import { fuzzed } from '../support/fuzzing.ts';

const read = (text: string, maxDepth = 8, maxStructuralCharacters?: number) =>
  parseStrictJson(text, maxDepth, maxStructuralCharacters);

function fault(text: string, maxDepth?: number, maxStructuralCharacters?: number): string {
  try {
    read(text, maxDepth, maxStructuralCharacters);
  } catch (error) {
    if (error instanceof JsonFault) {
      return error.message;
    }
    throw error;
  }
  throw new Error('not refused');
}

describe('a JSON object', () => {
  it('is read as any parser reads it', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes('"__proto__"'));
        expect(read(text, 1_000)).toEqual(JSON.parse(text));
        expect(read(JSON.stringify(value, undefined, 2), 1_000)).toEqual(JSON.parse(text));
      }),
      fuzzed(200),
    );
  });

  it.each([
    '{}',
    ' { "a" : 1 } ',
    '{"a":"\\"}{][:,"}',
    '{"a":"\\\\"}',
    '{"a":"\\\\\\""}',
    '{"\\"":1,"\\\\":2}',
    '{"a":[1,[2,{"b":3}]]}',
    '{"a":{"a":{"a":"a"}}}',
    '{"a":"\\ud83d\\ude00"}',
    '{"a":":"}',
  ])('may be %s', (text) => {
    expect(read(text)).toEqual(JSON.parse(text));
  });

  it.each([
    '',
    '[]',
    '[{"a":1}]',
    'null',
    '1',
    '"a"',
    '{',
    '{"a"}',
    '{"a":1}}',
    '{"a":1',
    '{"a":"',
    "{'a':1}",
    '{"a\\"}',
  ])('is not %j, which is not quoted', (text) => {
    expect(fault(text)).toBe('a JSON object');
  });
});

describe('a name', () => {
  const twice = 'a JSON object with no name twice';
  it.each([
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{"b":{"a":1,"a":1}}',
    '{"b":[{"a":1},[{"a":1,"a":1}]]}',
    '{"__proto__":1,"__proto__":2}',
    '{"":1,"":2}',
  ])('may not be there twice: %s', (text) => {
    expect(fault(text)).toBe(twice);
  });

  it.each(['{"a":1,"A":1}', '{"a":{"a":1},"b":[{"a":1},{"a":2}]}', '{"a":null,"b":[null,1,"x"]}'])(
    'may be there again in another object: %s',
    (text) => {
      expect(read(text)).toEqual(JSON.parse(text));
    },
  );
});

describe('the bounds', () => {
  it('are of how deep it nests', () => {
    expect(read('{"a":[{"b":[]}]}', 4)).toEqual({ a: [{ b: [] }] });
    expect(fault('{"a":[{"b":[]}]}', 3)).toBe('JSON nested no deeper than 3');
    expect(read('{"a":[],"b":[],"c":{},"d":[]}', 2)).toBeDefined();
    expect(read('{"a":"[[[[{{{{"}', 1)).toBeDefined();
  });

  it.each([
    ['{}', 2],
    ['{"a":1}', 3],
    ['{"a":[1,2]}', 6],
    ['{"a":"{}[]:,"}', 3],
    ['{"a":"\\":,"}', 3],
  ])('are of how much there is of it: %s has %i structural characters', (text, characters) => {
    expect(read(text, 8, characters)).toEqual(JSON.parse(text));
    expect(fault(text, 8, characters - 1)).toBe(`JSON of ${characters - 1} structural characters at most`);
  });

  it('come before the parser, which would read what is no JSON to its end', () => {
    expect(fault('[[[[', 3)).toBe('JSON nested no deeper than 3');
    expect(fault(',,,,', 3, 3)).toBe('JSON of 3 structural characters at most');
    expect(fault('{'.repeat(5_000_000), 3)).toBe('JSON nested no deeper than 3');
  });
});

describe('text', () => {
  it.each(['{"a":"\\ud800"}', '{"\\udc00":1}', '{"a":[{"b":"\\udc00\\ud800"}]}'])(
    'is well-formed, and not %s',
    (text) => {
      expect(fault(text)).toBe('well-formed Unicode, without half a surrogate pair');
    },
  );
});

it.each<[unknown, boolean]>([
  [{}, true],
  [{ a: 1 }, true],
  [[], false],
  [null, false],
  [undefined, false],
  ['a', false],
  [1, false],
])('%j is an object of JSON: %s', (value, is) => {
  expect(isJsonObject(value)).toBe(is);
});

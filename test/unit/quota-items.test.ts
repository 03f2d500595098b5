// What is read from an item of the quota table: its counts, and that nothing is counted on what is none.

import { describe, expect, it } from 'vitest';
import { countedOf, usedOf } from '../../lambda/quota/quota-items.ts';

const number = (N: string) => ({ N });
const refused = expect.objectContaining({
  code: 'ServerException',
  cause: new Error('an item of the quota table has no number where a count is'),
});

describe('a count', () => {
  it('is the number of its item, and 0 where there is none', () => {
    expect(usedOf({ amount: number('7') })).toBe(7);
    expect([usedOf(undefined), usedOf({})]).toEqual([0, 0]);
  });

  it.each([{ S: '7' }, number('x'), number('0.5'), number('9007199254740992')])('is not %j', (amount) => {
    expect(() => usedOf({ amount })).toThrow(refused);
    expect(() => countedOf({ countedFrom: amount, countedTo: number('7') })).toThrow(refused);
    expect(() => countedOf({ countedFrom: number('0'), countedTo: amount })).toThrow(refused);
  });
});

describe('what is counted of an upload', () => {
  it('is the range of its mark, and nothing where one end of it is not there', () => {
    const countedFrom = number('4');
    const countedTo = number('8');
    expect(countedOf({ countedFrom, countedTo })).toEqual({ first: 4, end: 8 });
    expect([
      countedOf(undefined),
      countedOf({}),
      countedOf({ countedFrom }),
      countedOf({ countedTo }),
    ]).toEqual(Array(4).fill(undefined));
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxLogLineBytes } from '../../api/limits.ts';
import { bounded, short } from '../../lambda/telemetry/bounded.ts';
import { describeFailure } from '../../lambda/telemetry/failures.ts';
import { fuzzed } from '../support/fuzzing.ts';

const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

describe('what is bounded', () => {
  it('stays as it is where it is small, but for what JSON has not', () => {
    const members = { a: 'b', c: [1, null, true, { d: [] }], e: undefined };
    expect(bounded(members, 1_000)).toEqual({ a: 'b', c: [1, null, true, { d: [] }] });
  });

  it('is never larger than it may be, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.object({ maxDepth: 4 }),
        fc.string({ unit: 'binary' }),
        fc.nat(200),
        (value, text, room) => {
          const members = { ...value, [text]: text.repeat(100), list: Array(100).fill(text) };
          expect(bytesOf(bounded(members, room + 2))).toBeLessThanOrEqual(room + 2);
        },
      ),
      fuzzed(300),
    );
  });

  it('keeps the first of its members', () => {
    const members = { first: 'x', list: Array(1_000).fill('y'), last: 'z' };
    expect(bounded(members, 100)).toMatchObject({ first: 'x', list: expect.arrayContaining(['y']) });
  });

  it('is cut between characters', () => {
    expect(short('a😀b', 2)).toBe('a\ufffd…');
    expect(short('a😀b', 4)).toBe('a😀b');
  });
});

it('a failure that is its own cause, and says megabytes, is described within a line of the log', () => {
  const failure = new Error('x'.repeat(4_000_000));
  failure.cause = failure;
  expect(bytesOf(describeFailure(failure))).toBeLessThan(maxLogLineBytes);
  expect(describeFailure(failure)).toMatchObject({ name: 'Error', cause: { name: 'Error' } });
});

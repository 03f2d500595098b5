import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Range } from '../../api/quotas.ts';
import { extend } from '../../lambda/quota/counted-range.ts';
import { fuzzed } from '../support/fuzzing.ts';

const part = fc
  .record({ first: fc.nat({ max: 60 }), size: fc.integer({ min: 1, max: 20 }) })
  .map(({ first, size }) => ({ first, end: first + size }));

const positionsOf = ({ first, end }: Range) => Array.from({ length: end - first }, (_, n) => first + n);

describe('what is counted of an upload', () => {
  it.each([
    ['the first part', undefined, [0, 4], [0, 4], 4, true],
    ['the next', [0, 4], [4, 8], [0, 8], 4, false],
    ['one that is sent again', [0, 8], [0, 4], [0, 8], 0, false],
    ['one that overlaps', [0, 8], [4, 12], [0, 12], 4, false],
    ['the one before', [4, 8], [0, 4], [0, 8], 4, false],
    ['one around it', [4, 8], [0, 12], [0, 12], 8, false],
    ['one ahead', [0, 4], [8, 12], [8, 12], 4, true],
    ['one behind a gap', [8, 12], [0, 4], [0, 4], 4, true],
  ] as const)('is right after %s', (_, counted, [first, end], range, added, isApart) => {
    const before = counted && { first: counted[0], end: counted[1] };
    expect(extend(before, { first, end })).toEqual({
      range: { first: range[0], end: range[1] },
      added,
      isApart,
    });
  });

  it('never holds a position that was not counted, and counts no part for more than it has', () => {
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const seen = new Set<number>();
        let counted: Range | undefined;
        let total = 0;
        for (const one of parts) {
          const { range, added } = extend(counted, one);
          expect(added).toBeLessThanOrEqual(one.end - one.first);
          for (const position of positionsOf(one)) {
            seen.add(position);
          }
          for (const position of positionsOf(range)) {
            expect(seen).toContain(position);
          }
          counted = range;
          total += added;
        }
        expect(total).toBeGreaterThanOrEqual(seen.size);
      }),
      fuzzed(200),
    );
  });
});

// How deep a policy nests and how much of it there is to evaluate, counted on its own, without Cedar's engine.

import { describe, expect, it } from 'vitest';
import { maxPolicyDepth, maxPolicySize } from '../../api/limits.ts';
import { type Cedar, newCedar, openEngine } from '../../policy/cedar.ts';
import { depthFault, measurePolicy, tooDeepToRead } from '../../policy/policy-depth.ts';

/** The conditions of a policy, as Cedar's parser writes them. */
function conditionsOf(text: string) {
  const parsed = newCedar().policyToJson(`permit (principal, action, resource) ${text};`);
  if (parsed.type === 'failure') {
    throw new Error(parsed.errors.map(({ message }) => message).join('; '));
  }
  return parsed.json;
}

describe('a policy', () => {
  it.each<[string, number, number]>([
    ['', 0, 0],
    ['when { true }', 2, 1],
    ['unless { true }', 2, 1],
    ['when { true } when { true }', 3, 2],
    ['when { principal == principal }', 3, 3],
    ['when { principal != principal }', 4, 3],
    ['when { 1 < 2 }', 3, 3],
    ['when { 1 <= 2 }', 3, 3],
    ['when { 1 > 2 }', 4, 3],
    ['when { 1 >= 2 }', 4, 3],
    ['when { context has a }', 3, 3],
    ['when { context has a.b }', 5, 5],
    ['when { context has a.b.c }', 6, 7],
    ['when { principal is Client }', 3, 3],
    ['when { principal is Client in principal }', 4, 7],
  ])('%s is so many levels deep, and has so many parts: %i, %i', (text, depth, size) => {
    expect(measurePolicy(conditionsOf(text))).toEqual({ depth, size });
  });

  it('is measured no further than it may be large', () => {
    const set = (size: number) => ({
      conditions: [{ kind: 'when' as const, body: { Set: Array(size - 1).fill({ Value: 1 }) } }],
    });
    expect(measurePolicy(set(maxPolicySize + 9)).size).toBe(maxPolicySize + 1);
    expect(depthFault(set(maxPolicySize))).toBeUndefined();
    expect(depthFault(set(maxPolicySize + 1))).toBe(
      `more than ${maxPolicySize} parts to evaluate ("is … in" and "has" of a path evaluate what is before them again)`,
    );
  });

  it('may have a value of nothing', () => {
    const body = { Set: [{ Value: null }] };
    expect(measurePolicy({ conditions: [{ kind: 'when', body }] })).toEqual({ depth: 3, size: 2 });
  });

  const nested = (levels: number) =>
    conditionsOf(`when { ${'['.repeat(levels)}1${']'.repeat(levels)} == 1 }`);

  it('may nest as deep as the limit says, and no deeper', () => {
    const levels = maxPolicyDepth - measurePolicy(nested(0)).depth;
    const advice = 'write a long list as [ … ].contains( … ), or as several policies';
    expect(depthFault(nested(levels))).toBeUndefined();
    expect(depthFault(nested(levels + 1))).toBe(
      `nested ${maxPolicyDepth + 1} deep (at most ${maxPolicyDepth}): ${advice}`,
    );
    expect(tooDeepToRead).toBe(`nested too deep for Cedar to read (at most ${maxPolicyDepth}): ${advice}`);
  });
});

describe('an engine of Cedar’s', () => {
  function open(fails: readonly number[] = []) {
    const prepared: number[] = [];
    let made = 0;
    const engines = new Map<Cedar, number>();
    const engine = openEngine(
      (cedar) => void prepared.push(engines.get(cedar) ?? 0),
      () => {
        made += 1;
        if (fails.includes(made)) {
          throw new RangeError(`no memory for ${made}`);
        }
        const cedar = { ...cedarOf };
        engines.set(cedar, made);
        return cedar;
      },
    );
    const number = () => engine((cedar) => engines.get(cedar));
    const fail = () =>
      engine(() => {
        throw new Error('out of bounds');
      });
    return { number, fail, prepared };
  }
  const cedarOf = newCedar();

  it('is made when it is first asked, and stays', () => {
    const { number, prepared } = open();
    expect(prepared).toEqual([]);
    expect([number(), number()]).toEqual([1, 1]);
    expect(prepared).toEqual([1]);
  });

  it('that has failed is replaced before the next call', () => {
    const { number, fail, prepared } = open();
    expect(fail).toThrow('out of bounds');
    expect(prepared).toEqual([1, 2]);
    expect(number()).toBe(2);
    expect(prepared).toEqual([1, 2]);
  });

  it('that cannot be replaced is tried again at each call, which fails with the reason', () => {
    const { number, fail } = open([2, 3]);
    expect(fail).toThrow('out of bounds');
    expect(number).toThrow('no memory for 3');
    expect(number()).toBe(4);
  });

  it('is one of its own each time', () => {
    expect(newCedar()).not.toBe(newCedar());
    expect(newCedar().getCedarVersion()).toMatch(/^\d+\.\d+/);
  });
});

// The difference between two templates: what a reviewer reads, and that nothing gets lost in it.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { differenceOf } from '../support/template-difference.ts';

it('names what is added, removed and changed, once for all parts that differ in the same', () => {
  const role = (arn: string, ...tags: string[]) => ({ Type: 'Role', Properties: { arn, 'a.b': { tags } } });
  const before = { Resources: { A: role('a', 'x', 'z'), B: role('a', 'x', 'z'), C: {}, E: role('e') } };
  const after = {
    Description: 'after',
    Resources: {
      A: role('a', 'x', 'y', 'z'),
      B: role('a', 'x', 'y', 'z'),
      D: { Type: 'Table' },
      E: role('f'),
    },
  };
  expect(differenceOf(before, after)).toBe(`@@ Description @@
+ after

@@ Resources.A @@
@@ Resources.B @@
+ Properties."a.b".tags[1]: y

@@ Resources.C @@
- all of it

@@ Resources.D @@
+ Type: Table

@@ Resources.E @@
- Properties.arn: e
+ Properties.arn: f
`);
});

const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constantFrom('', 'a', 'all of it', '- a', 'x: 1', '1', 1, true, 'true', null, '@@ R.a @@'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'a.b', '[0]'), tie('value'), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
  ),
}));
const template = fc.record({
  R: fc.dictionary(fc.constantFrom('a', 'b', 'c.d'), value, { minKeys: 1, noNullPrototype: true }),
});

it('is nothing between a template and itself', () => {
  fc.assert(
    fc.property(template, (one) => {
      expect(differenceOf(one, structuredClone(one))).toBe('');
    }),
  );
});

it('is another for every other template', () => {
  const written = (one: object) => JSON.stringify(one, (_, part) => sorted(part));
  fc.assert(
    fc.property(template, template, template, (base, one, other) => {
      fc.pre(written(one) !== written(other));
      expect(differenceOf(base, one)).not.toBe(differenceOf(base, other));
    }),
    { numRuns: 2_000 },
  );
});

/** Members in one order: CloudFormation gives theirs no meaning. */
const sorted = (part: unknown): unknown =>
  typeof part === 'object' && part !== null && !Array.isArray(part)
    ? Object.fromEntries(Object.entries(part).sort())
    : part;

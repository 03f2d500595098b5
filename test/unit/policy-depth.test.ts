// A policy that passes the check never ends an engine: how deep Cedar evaluates, and what is refused before.

import { describe, expect, it } from 'vitest';
import { maxPolicyDepth, maxPolicySize } from '../../api/limits.ts';
import { newCedar } from '../../policy/cedar.ts';
import { describeForCedar } from '../../policy/entities.ts';
import { type DecisionRequest, loadPolicies } from '../../policy/policies.ts';
import { measurePolicy } from '../../policy/policy-depth.ts';
import { PolicyError } from '../../policy/policy-files.ts';
import { chains, nested } from '../support/deep-policies.ts';
import { policiesOf } from '../support/policy-directory.ts';

const kinds = Object.entries({ ...chains, ...nested });

const parser = newCedar();

function depthOf(text: string): number {
  const parsed = parser.policyToJson(text);
  if (parsed.type === 'failure') {
    throw new Error(JSON.stringify(parsed.errors));
  }
  return measurePolicy(parsed.json).depth;
}

/** The longest of a kind that is no deeper than `depth`, as the check measures it. */
function deepest(text: (length: number) => string, depth: number): string {
  let length = depth;
  while (length > 1 && depthOf(text(length)) > depth) {
    length -= Math.ceil((depthOf(text(length)) - depth) / 3);
  }
  return text(length);
}

/** As a function does it with a policy that is not held back: parsed, and evaluated once. */
function evaluate(staticPolicies: string) {
  const cedar = newCedar();
  cedar.preparsePolicySet('all', { staticPolicies });
  return cedar.statefulIsAuthorized({
    ...describeForCedar({
      principal: { type: 'Client', id: 'a' },
      action: 'UploadLayerPart',
      resource: { id: 'r', attrs: { name: 'x/y', namespace: 'x', registry: 'ecr', registryId: '1' } },
      context: { partFirstByte: 0, partLastByte: 9 },
      now: new Date(0),
    }),
    preparsedPolicySetId: 'all',
  });
}

const load = (text: string) => loadPolicies(policiesOf({ 'a.cedar': text }));

describe('the depth that is allowed', () => {
  it.each(kinds)('of %s is less than half of what Cedar evaluates', (_, text) => {
    const twice = deepest(text, 2 * maxPolicyDepth);
    expect(depthOf(twice)).toBeGreaterThan(1.9 * maxPolicyDepth);
    expect(evaluate(twice)).toMatchObject({ type: 'success' });
  });

  it('is allowed: a policy of just that depth loads', () => {
    expect(() => load(deepest(chains['||'] ?? String, maxPolicyDepth))).not.toThrow();
  });
});

/** What a directory with this policy on its third line is refused for. */
function faultsOf(text: string) {
  try {
    load(`// é; "\n@id("plain") permit (principal, action, resource) when { "; //" == "" };\n  ${text}`);
    return [];
  } catch (error) {
    if (!(error instanceof PolicyError)) {
      throw error;
    }
    return error.faults;
  }
}

const alternatives = (count: number) =>
  Array.from({ length: count }, (_, n) => `resource.name == "n${n}"`).join(' || ');

describe('a policy that is too deep is named with its place', () => {
  it.each(kinds)('where it is %s', (_, text) => {
    const faults = faultsOf(text(2 * maxPolicyDepth));
    expect(faults).toMatchObject([{ file: 'a.cedar', line: 3, column: 3 }]);
    expect(faults[0]?.message).toMatch(
      /nested .*deep.*\(at most 128\): write a long list as \[ … \]\.contains/,
    );
  });

  it.each([500, 5_000, 15_000])(
    'where it is an || of %i alternatives, which Cedar parses and validates or not',
    (count) => {
      const faults = faultsOf(`permit (principal, action, resource) when { ${alternatives(count)} };`);
      expect(faults).toMatchObject([{ file: 'a.cedar', line: 3, column: 3 }]);
    },
  );

  it.each([
    ['brackets', `${'('.repeat(400)}true${')'.repeat(400)}`],
    ['negations', `${'!('.repeat(5_000)}true${')'.repeat(5_000)}`],
    ['conditions of conditions', `${'if '.repeat(400)}true${' then true else true'.repeat(400)}`],
  ])('where Cedar traps as it parses %s', (_, condition) => {
    const faults = faultsOf(`permit (principal, action, resource) when { ${condition} };`);
    expect(faults).toMatchObject([{ file: 'a.cedar', line: 3, column: 3 }]);
  });

  it('wherever in the file it is, and however many there are', () => {
    const deep = `permit (principal, action, resource) when { ${'('.repeat(400)}true${')'.repeat(400)} };`;
    expect(faultsOf(`${deep}\npermit (principal, action, resource);\n // ;\n ${deep}`)).toMatchObject([
      { line: 3, column: 3 },
      { line: 6, column: 2 },
    ]);
  });

  it('also where only its twofold evaluation makes it long', () => {
    const [before, after] = ['((if ', ' then principal else principal) is Client in Client::"a")'];
    const text = `permit (principal, action, resource) when { ${before.repeat(16)}true${after.repeat(16)} };`;
    expect(faultsOf(text)).toMatchObject([
      { line: 3, column: 3, message: expect.stringContaining(`more than ${maxPolicySize} parts`) },
    ]);
  });

  it('and a schema that nests too deep by its file', () => {
    const type = `${'Set<'.repeat(2_000)}String${'>'.repeat(2_000)}`;
    const directory = policiesOf({ 'schema.cedarschema': `entity Client { a: ${type} };` });
    expect(() => loadPolicies(directory)).toThrow(/^schema\.cedarschema:1:1: types nested too deep/);
  });
});

describe('a long list', () => {
  it('is a set, of 5,000 names as well', () => {
    const names = Array.from({ length: 5_000 }, (_, n) => `"team-${n}/app"`).join();
    const { decide } = load(
      `permit (principal, action, resource) when { [${names}].contains(resource.name) };`,
    );
    const asked = (name: string): DecisionRequest => ({
      principal: { type: 'Client', id: 'a' },
      action: 'InitiateLayerUpload',
      resource: { id: name, attrs: { name, namespace: '', registry: 'ecr', registryId: '1' } },
      context: {},
      now: new Date(0),
    });
    expect(decide(asked('team-4999/app'))).toMatchObject({ allowed: true, errors: [] });
    expect(decide(asked('team-5000/app'))).toMatchObject({ allowed: false, errors: [] });
  });
});

// Every sample of examples/policies, and the policies that deploy, against their own cases.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCases } from '../../cli/policy/cases.ts';
import { runCase } from '../../cli/policy/run-case.ts';
import { ownSchema } from '../../cli/policy/schema.ts';
import { openPolicies } from '../../policy/policies.ts';
import { readPolicyFiles } from '../../policy/policy-files.ts';

const root = join(import.meta.dirname, '../..');
const samples = readdirSync(join(root, 'examples/policies')).map((name) => join('examples/policies', name));

describe.each(['policies', ...samples])('%s', (directory) => {
  const files = readPolicyFiles(join(root, directory), ownSchema);
  const policies = openPolicies(files);
  const cases = readCases(join(root, directory));

  it('has policies that can apply, each with an id', () => {
    expect(files.warnings).toEqual([]);
    expect(files.policies.map(({ id }) => id).filter((id) => id.includes('#'))).toEqual([]);
  });

  it.each(cases.map((one) => [one.name, one] as const))('%s', (_, one) => {
    expect(one.expect).toBeDefined();
    expect(runCase(policies, one)).toMatchObject({ passed: true, detail: '' });
  });

  it('has a case for each of its policies', () => {
    const named = new Set(cases.flatMap(({ by = [] }) => by));
    expect(files.policies.map(({ id }) => id).filter((id) => !named.has(id))).toEqual([]);
  });
});

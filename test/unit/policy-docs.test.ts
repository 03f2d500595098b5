// The policies that people copy from README, docs and samples: they validate, and let no stranger in.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { describe, expect, it } from 'vitest';
import { actionGroups, isOperationName, operationNames, operations } from '../../api/operations.ts';
import { readCases, requestsOf } from '../../cli/policy/cases.ts';
import { ownSchema } from '../../cli/policy/schema.ts';
import { policySource } from '../../lib/policies.ts';
import { openPolicies } from '../../policy/policies.ts';
import { readPolicyFiles } from '../../policy/policy-files.ts';
import type { Workload } from '../../policy/principal.ts';

const root = join(import.meta.dirname, '../..');
const schema = readFileSync(join(policySource, 'schema.cedarschema'), 'utf8');

const documents = [
  ...readdirSync(root),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((file) => join('docs', file)),
].filter((file) => file.endsWith('.md'));

/** Every policy that a document shows, with the place that it stands at. */
const shown = documents.flatMap((file) => {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/(?:<!-- file: (\S+) -->\n)?^```cedar\n(.*?)^```/gms)].map((block) => ({
    place: `${file}:${text.slice(0, block.index).split('\n').length}`,
    isWrongOnPurpose: block[1]?.startsWith('typo/') ?? false,
    policies: block[2] ?? '',
  }));
});

/**
 * What of each issuer's claims nobody else can have: names are given up and registered by others. A workload that is
 * let in by a policy is told by one of these.
 */
const ownersOf: Readonly<Record<string, string>> = {
  'github-actions': 'repository_owner_id',
  'gitlab-ci': 'namespace_id',
  kubernetes: 'kubernetes.io/serviceaccount/uid',
  cognito: 'client_id',
};

/** Each permit that a workload may be let in by. */
function permitsFor(policies: string) {
  const parts = cedar.policySetTextToParts(policies);
  if (parts.type === 'failure') {
    throw new Error('does not parse');
  }
  return parts.policies.filter((text) => /permit\s*\(\s*principal\s+is\s+Workload/.test(text));
}

const namesAnOwner = (policy: string) =>
  Object.values(ownersOf).some((claim) => policy.includes(`principal.getTag("${claim}") == "`));

describe('a policy that a document shows', () => {
  it('is found by this test', () => {
    expect(shown.length).toBeGreaterThanOrEqual(5);
  });

  it.each(shown.map((one) => [one.place, one] as const))(
    'at %s validates, as strictly as it can',
    (_, one) => {
      const answer = cedar.validate({
        schema,
        policies: { staticPolicies: one.policies },
        validationSettings: { mode: 'strict' },
      });
      const faults =
        answer.type === 'failure'
          ? answer.errors
          : [...answer.validationErrors, ...answer.validationWarnings].map(({ error }) => error);
      const messages = faults.map(({ message }) => message);
      if (one.isWrongOnPurpose) {
        expect(messages).not.toEqual([]);
      } else {
        expect(messages).toEqual([]);
      }
    },
  );

  it.each(shown.map((one) => [one.place, one] as const))(
    'at %s names a workload’s issuer and owner',
    (_, one) => {
      for (const policy of permitsFor(one.policies)) {
        expect(policy).toContain('principal.issuer == "');
        expect(policy).toSatisfy(namesAnOwner);
      }
    },
  );
});

it('the groups of the policy schema have the actions that the table says, and each operation is one', () => {
  const json = cedar.schemaToJson(schema);
  const actions = json.type === 'success' ? (json.json['']?.actions ?? {}) : {};
  const groups = Object.entries(actions).filter(([name]) => isOperationName(name));
  expect(
    Object.fromEntries(groups.map(([name, { memberOf }]) => [name, memberOf?.map(({ id }) => id)])),
  ).toEqual(Object.fromEntries(operationNames.map((name) => [name, [...operations[name].groups]])));
  expect(
    Object.keys(actions)
      .filter((name) => !isOperationName(name))
      .sort(),
  ).toEqual([...actionGroups].sort());
});

const samples = readdirSync(join(root, 'examples/policies'));

function openSample(name: string) {
  const directory = join(root, 'examples/policies', name);
  const files = readPolicyFiles(directory, ownSchema);
  const text = readFileSync(join(directory, `${name}.cedar`), 'utf8');
  return { text, policies: openPolicies(files), cases: readCases(directory) };
}

function withClaim(workload: Workload, claim: string, value: string | undefined): Workload {
  const { [claim]: _, ...claims } = workload.claims;
  return { ...workload, claims: value === undefined ? claims : { ...claims, [claim]: value } };
}

describe('a sample', () => {
  it('that lets workloads in is known to this test', () => {
    const forWorkloads = samples.filter((name) => permitsFor(openSample(name).text).length > 0);
    expect(forWorkloads.sort()).toEqual(Object.keys(ownersOf).sort());
  });

  describe.each(Object.entries(ownersOf))('%s', (name, owner) => {
    const { text, policies, cases } = openSample(name);
    const letIn = cases.flatMap((one) =>
      one.expect === 'allow' && one.principal.type === 'Workload'
        ? [{ ...one, principal: one.principal }]
        : [],
    );

    it('names issuer and owner in each of its permits', () => {
      for (const permit of permitsFor(text)) {
        expect(permit).toContain('principal.issuer == "');
        expect(permit).toContain(`principal.getTag("${owner}") == "`);
      }
    });

    it(`refuses a workload with all claims of the allowed one, but another ${owner}, or none`, () => {
      expect(letIn).not.toEqual([]);
      for (const one of letIn) {
        const own = String(one.principal.claims[owner]);
        for (const other of ['666', `${own}0`, own.slice(1), '', undefined]) {
          const stranger = withClaim(one.principal, owner, other);
          for (const request of requestsOf({ ...one, principal: stranger })) {
            expect(policies.decide(request).allowed).toBe(false);
          }
        }
      }
    });

    it('has a case of such a stranger, of the same name', () => {
      const strangers = cases.filter(
        ({ expect: expected, principal, repository }) =>
          expected === 'deny' &&
          principal.type === 'Workload' &&
          letIn.some(
            (one) =>
              one.repository === repository &&
              one.principal.subject === principal.subject &&
              one.principal.claims[owner] !== principal.claims[owner] &&
              one.principal.claims.repository === principal.claims.repository &&
              one.principal.claims.project_path === principal.claims.project_path,
          ),
      );
      expect(strangers.map((one) => one.name)).not.toEqual([]);
    });
  });
});

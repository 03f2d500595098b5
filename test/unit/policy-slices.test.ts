// Leaving out the policies that cannot decide changes no decision: compared with Cedar, asked with all of them.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DecisionRequest, describeForCedar } from '../../lambda/entities.ts';
import { openPolicies } from '../../lambda/policies.ts';
import { readPolicyText } from '../../lambda/policy-files.ts';
import { type Principal, workload } from '../../lambda/principal.ts';

const schema = readFileSync(join(import.meta.dirname, '../../policies/schema.cedarschema'), 'utf8');

const word = fc.constantFrom('a', 'b', 'a/b', 'a/*', '');
const quoted = word.map((text) => JSON.stringify(text));

const principalScope = fc.constantFrom(
  'principal',
  'principal == Client::"a"',
  'principal == Workload::"a#b"',
  'principal is Client',
  'principal is Workload',
  'principal in Client::"a"',
  'principal is Workload in Workload::"a#b"',
);
const actionScope = fc.constantFrom(
  'action',
  'action == Action::"UploadLayerPart"',
  'action == Action::"InitiateLayerUpload"',
  'action == Action::"push"',
  'action in Action::"push"',
  'action in Action::"UploadLayerPart"',
  'action in [Action::"UploadLayerPart", Action::"PutImage"]',
);
const condition = fc.oneof(
  quoted.map((text) => `principal.issuer == ${text}`),
  quoted.map((text) => `${text} == principal.subject`),
  quoted.map((text) => `resource.namespace == ${text}`),
  quoted.map((text) => `resource.name like ${text}`),
  quoted.map((text) => `!(resource.name like ${text})`),
  fc
    .tuple(quoted, quoted)
    .map(([name, text]) => `(principal.hasTag(${name}) && principal.getTag(${name}) == ${text})`),
  fc.tuple(quoted, quoted).map(([name, text]) => `(principal.hasTag(${name}) || resource.name == ${text})`),
  quoted.map((name) => `(principal.hasTag(${name}) && principal.getTag(${name}) == resource.name)`),
  quoted.map((name) => `principal.hasTag(${name})`),
  // A claim that may not be there, which does not validate alone, and a sum too large, which fails.
  quoted.map((name) => `principal.getTag(${name}) == "a"`),
  fc.constant('context.partLastByte * 9223372036854775807 > 0'),
  fc.constant('principal is Workload'),
  fc.constant('(principal is Workload && principal.issuer == "a")'),
  fc.constant('principal is Client'),
  fc.constant('true'),
);
const clause = fc
  .tuple(fc.constantFrom('when', 'unless'), fc.array(condition, { minLength: 1, maxLength: 4 }))
  .map(([kind, conditions]) => `${kind} { ${conditions.join(' && ')} }`);
const policy = fc
  .tuple(
    fc.constantFrom('permit', 'permit', 'forbid'),
    principalScope,
    actionScope,
    fc.array(clause, { maxLength: 2 }),
  )
  .map(([effect, who, what, clauses]) => `${effect} (${who}, ${what}, resource) ${clauses.join(' ')};`);

const principal = fc.oneof(
  word.map((id): Principal => ({ type: 'Client', id })),
  fc
    .tuple(word, word, fc.dictionary(word, fc.oneof(word, fc.array(word, { maxLength: 2 }))))
    .map(([issuer, subject, claims]) => workload(issuer, subject, claims)),
);
const request = fc
  .tuple(principal, fc.constantFrom('UploadLayerPart', 'InitiateLayerUpload'), word, word)
  .map(
    ([who, action, name, namespace]): DecisionRequest => ({
      principal: who,
      action,
      resource: { id: 'r', attrs: { name, namespace, registry: 'ecr', registryId: '1' } },
      context: action === 'UploadLayerPart' ? { partFirstByte: 0, partLastByte: 9 } : {},
      now: new Date(0),
    }),
  );

/** No other deploys. */
const isValid = (text: string): boolean => {
  const answer = cedar.validate({ schema, policies: { staticPolicies: text } });
  return answer.type === 'success' && answer.validationErrors.length === 0;
};
const valid = policy.filter(isValid);

describe('a decision', () => {
  it('is the one that Cedar makes of all policies together', () => {
    let allowed = 0;
    fc.assert(
      fc.property(fc.array(valid, { minLength: 1, maxLength: 6 }), request, (texts, asked) => {
        const policies = readPolicyText('p.cedar', texts.join('\n'));
        const { decide } = openPolicies({ schema, policies });
        const staticPolicies = Object.fromEntries(policies.map(({ id, text }) => [id, text]));
        const whole = cedar.isAuthorized({
          ...describeForCedar(asked),
          schema,
          policies: { staticPolicies },
          validateRequest: true,
        });
        if (whole.type === 'failure') throw new Error(JSON.stringify(whole.errors));
        const { decision, diagnostics } = whole.response;
        const verdict = decide(asked);
        allowed += Number(verdict.allowed);
        expect({
          allowed: verdict.allowed,
          policies: verdict.policies.map(({ id }) => id),
          errors: verdict.errors.length,
        }).toEqual({
          allowed: decision === 'allow' && diagnostics.errors.length === 0,
          policies: diagnostics.reason.sort(),
          errors: diagnostics.errors.length,
        });
      }),
      { numRuns: Number(process.env.RUNS ?? 150) },
    );
    expect(allowed).toBeGreaterThan(2);
  });
});

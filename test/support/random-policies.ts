// Random schemas, policies and requests, and what Cedar itself says of them: asked once, with all policies.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AuthorizationAnswer } from '@cedar-policy/cedar-wasm/nodejs';
import fc from 'fast-check';
import { newCedar } from '../../policy/cedar.ts';
import { type DecisionRequest, describeForCedar } from '../../policy/entities.ts';
import { openPolicies } from '../../policy/policies.ts';
import { type Policy, readPolicyText } from '../../policy/policy-files.ts';
import { type Principal, workload } from '../../policy/principal.ts';

const shipped = readFileSync(join(import.meta.dirname, '../../policies/schema.cedarschema'), 'utf8');

const groups = ['push', 'g0', 'g1', 'g2', 'g3'] as const;

const membership = (parents: readonly string[]) => (parents.length > 0 ? ` in [${parents.join(', ')}]` : '');

/** Groups in groups: each may be in those before it. */
const groupDeclarations = fc
  .tuple(...groups.map((_, index) => fc.subarray(groups.slice(0, index))))
  .map((parents) => groups.map((name, n) => `action ${name}${membership(parents[n] ?? [])};`).join('\n'));

const namespace = `namespace Other {
  entity Robot in [Robot];
  action all;
  action go in [all] appliesTo { principal: [Robot], resource: [Robot] };
}`;

/** The schema that deploys, with groups, memberships, parents and namespaces of an operator's own. */
export const randomSchema = fc
  .tuple(
    groupDeclarations,
    fc.array(fc.subarray([...groups]), { minLength: 3, maxLength: 3 }),
    fc.boolean(),
    fc.boolean(),
  )
  .map(([declared, parents, inTeams, withNamespace]) => {
    let action = 0;
    const schema = shipped
      .replace(/ in \[push\]/g, () => membership(parents[action++] ?? []))
      .replace('action push;', declared)
      .replace('entity Client;', `entity Team;\nentity Client${inTeams ? ' in [Team]' : ''};`);
    return withNamespace ? `${schema}\n${namespace}` : schema;
  });

const word = fc.constantFrom('a', 'b', 'a/b', 'a/*', 'é"\\', '');
const quoted = word.map((text) => JSON.stringify(text));

const entity = fc.constantFrom('Client::"a"', 'Workload::"a#b"', 'Team::"a"', 'Other::Robot::"a"');
const principalScope = fc.oneof(
  fc.constantFrom('principal', 'principal is Client', 'principal is Workload', 'principal is Other::Robot'),
  entity.map((uid) => `principal == ${uid}`),
  entity.map((uid) => `principal in ${uid}`),
  entity.map((uid) => `principal is Client in ${uid}`),
  entity.map((uid) => `principal is Workload in ${uid}`),
);
const operation = fc.constantFrom('UploadLayerPart', 'InitiateLayerUpload', 'CompleteLayerUpload');
const actionUid = fc
  .oneof(operation, fc.constantFrom(...groups))
  .chain((name) => fc.constantFrom(`Action::"${name}"`, `Action::"${name}"`, 'Other::Action::"all"'));
const actionScope = fc.oneof(
  fc.constant('action'),
  actionUid.map((uid) => `action == ${uid}`),
  actionUid.map((uid) => `action in ${uid}`),
  fc.array(actionUid, { minLength: 1, maxLength: 3 }).map((uids) => `action in [${uids.join(', ')}]`),
);
const resourceScope = fc.constantFrom(
  'resource',
  'resource == Repository::"r"',
  'resource is Repository',
  'resource in Repository::"q"',
);
const condition = fc.oneof(
  quoted.map((text) => `principal is Workload && principal.issuer == ${text}`),
  quoted.map((text) => `resource.namespace == ${text}`),
  quoted.map((text) => `resource.name like ${text.replace('\\\\', '')}`),
  fc
    .tuple(quoted, quoted)
    .map(
      ([name, text]) =>
        `principal is Workload && principal.hasTag(${name}) && principal.getTag(${name}) == ${text}`,
    ),
  fc.tuple(quoted, quoted).map(([name, text]) => `[${name}, ${text}].contains(resource.name)`),
  actionUid.map((uid) => `action in ${uid}`),
  entity.map((uid) => `principal in [${uid}]`),
  entity.map((uid) => `principal is Client in ${uid}`),
  quoted.map((text) => `if resource.name == ${text} then principal is Client else true`),
  // A claim that may not be there, which does not validate alone, and a sum too large, which fails.
  quoted.map((name) => `principal.getTag(${name}) == "a"`),
  fc.constant('9223372036854775807 + (if resource.name == "a" then 1 else 0) > 0'),
  fc.constant('true'),
);
const clause = fc
  .tuple(
    fc.constantFrom('when', 'unless'),
    fc.array(condition, { minLength: 1, maxLength: 3 }),
    fc.constantFrom(' && ', ' || '),
  )
  .map(([kind, conditions, joint]) => `${kind} { ${conditions.map((one) => `(${one})`).join(joint)} }`);
const policy = fc
  .tuple(
    fc.constantFrom('permit', 'permit', 'forbid', '@mode("audit") forbid', '@mode("audit") permit'),
    principalScope,
    actionScope,
    resourceScope,
    fc.array(clause, { maxLength: 2 }),
  )
  .map(
    ([effect, who, what, where, clauses]) => `${effect} (${who}, ${what}, ${where}) ${clauses.join(' ')};`,
  );

const principal = fc.oneof(
  word.map((id): Principal => ({ type: 'Client', id })),
  fc
    .tuple(word, word, fc.dictionary(word, fc.oneof(word, fc.array(word, { maxLength: 2 }))))
    .map(([issuer, subject, claims]) => workload(issuer, subject, claims)),
);

export const randomRequest = fc.tuple(principal, operation, word, word).map(
  ([who, action, name, namespace]): DecisionRequest => ({
    principal: who,
    action,
    resource: { id: 'r', attrs: { name, namespace, registry: 'ecr', registryId: '1' } },
    context: action === 'UploadLayerPart' ? { partFirstByte: 0, partLastByte: 9 } : {},
    now: new Date(0),
  }),
);

const cedar = newCedar();

/** No other deploys. */
const isValid = (schema: string) => (text: string) => {
  const answer = cedar.validate({ schema, policies: { staticPolicies: text } });
  if (answer.type === 'failure') {
    throw new Error(JSON.stringify(answer.errors));
  }
  return answer.validationErrors.length === 0;
};

/** Half of the time something is allowed that the others may forbid. */
const permits = fc.constantFrom([], ['permit (principal, action, resource);']);

/** A schema, policies that validate against it, and requests. */
export const randomCase = randomSchema.chain((schema) =>
  fc.record({
    schema: fc.constant(schema),
    texts: fc
      .tuple(permits, fc.array(policy.filter(isValid(schema)), { minLength: 1, maxLength: 6 }))
      .map((texts) => texts.flat()),
    requests: fc.array(randomRequest, { minLength: 1, maxLength: 4 }),
  }),
);

type Case = typeof randomCase extends fc.Arbitrary<infer T> ? T : never;

function verdictOf(answer: AuthorizationAnswer) {
  if (answer.type === 'failure') {
    throw new Error(JSON.stringify(answer.errors));
  }
  const { decision, diagnostics } = answer.response;
  return {
    allowed: decision === 'allow' && diagnostics.errors.length === 0,
    policies: diagnostics.reason.sort(),
    errors: diagnostics.errors.length,
  };
}

/** Of each request, what the proxy decides and what Cedar says: of the enforced policies, and of all of them. */
export function compare({ schema, texts, requests }: Case) {
  const policies = readPolicyText('p.cedar', texts.join('\n'));
  const { decide } = openPolicies({ schema, policies });
  return requests.map((asked) => {
    const alone = (some: readonly Policy[]) =>
      verdictOf(
        cedar.isAuthorized({
          ...describeForCedar(asked),
          schema,
          policies: { staticPolicies: Object.fromEntries(some.map(({ id, text }) => [id, text])) },
          validateRequest: true,
        }),
      );
    const { allowed, policies: deciding, errors, audit } = decide(asked);
    const enforced = alone(policies.filter((one) => !one.audit));
    const all = alone(policies);
    return {
      proxy: {
        ...{ allowed, policies: deciding.map(({ id }) => id), errors: errors.length },
        inAudit: audit?.allowed ?? allowed,
      },
      cedar: { ...enforced, inAudit: all.allowed },
    };
  });
}

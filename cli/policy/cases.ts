// Policy cases as an operator writes them in YAML: who asks for what, and what is to come of it.

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isMap, isNode, isSeq, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { withoutByteOrderMark } from '../../api/byte-order-mark.ts';
import {
  actionGroups,
  isOperationName,
  type OperationName,
  operationNames,
  operations,
} from '../../api/operations.ts';
import { describeIssue } from '../../api/zod-issues.ts';
import { claimsOf } from '../../policy/claims.ts';
import type { DecisionRequest } from '../../policy/entities.ts';
import { type Principal, workload } from '../../policy/principal.ts';
import { usualContext } from '../../policy/sample-requests.ts';
import { CommandError } from '../failure.ts';

const oneOrMore = z.union([z.string(), z.array(z.string()).min(1)]).transform((value) => [value].flat());

const client = z
  .strictObject({ client: z.string() })
  .transform(({ client: id }): Principal => ({ type: 'Client', id }));

/** YAML has no exact text of other numbers: 1.0 is 1, and from 2^53 on one may be another. */
const claim: z.ZodType = z.lazy(() =>
  z.union([z.string(), z.boolean(), z.null(), z.int(), z.array(claim), z.record(z.string(), claim)]),
);

const expectedPrincipal =
  'client: NAME, or workload: with issuer, subject and claims, in which a fraction or a number over 2^53 has quotes';

const oidcHolder = z
  .strictObject({
    workload: z.strictObject({
      issuer: z.string(),
      subject: z.string(),
      claims: z.record(z.string(), claim).default({}),
    }),
  })
  .transform(
    ({ workload: { issuer, subject, claims } }): Principal =>
      workload(issuer, subject, claimsOf({ ...claims, iss: issuer, sub: subject })),
  );

const contextValue = z.union([
  z.string(),
  z.int(),
  z.array(z.string()),
  z.record(z.string(), z.union([z.string(), z.int()])),
]);

/** A group stands for every action in it. */
function operationsNamed(name: string): readonly string[] {
  const group = actionGroups.find((one) => one === name);
  return group ? operationNames.filter((operation) => operations[operation].groups.includes(group)) : [name];
}

const actions = oneOrMore.transform((names, context): OperationName[] => {
  const named = names.flatMap(operationsNamed);
  const known = named.filter(isOperationName);
  if (known.length === named.length) {
    return known;
  }
  const message = `expected ${[...actionGroups, ...operationNames].join(', ')}, or a list of them`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const policyCase = z.strictObject({
  name: z.string(),
  principal: z.union([client, oidcHolder], expectedPrincipal),
  action: actions,
  repository: z.string(),
  registry: z.enum(['ecr', 'ecr-public']).default('ecr'),
  registryId: z.string().default('123456789012'),
  context: z.record(z.string(), contextValue).default({}),
  /** Whether the caller has sent a session token. */
  tokenIsExchanged: z.boolean().default(false),
  /** Fixed unless a case says otherwise: a test that depends on the day is none. */
  now: z.coerce.date().default(new Date('2026-01-01T12:00:00Z')),
  expect: z.enum(['allow', 'deny']).optional(),
  by: oneOrMore.optional(),
  audit: z.enum(['allow', 'deny']).optional(),
});

export type PolicyCase = z.output<typeof policyCase> & { file: string; line: number };

const namespaceOf = (name: string) => name.slice(0, Math.max(name.lastIndexOf('/'), 0));

/** The requests of a case: one for each of its actions. */
export const requestsOf = (one: PolicyCase): DecisionRequest[] =>
  one.action.map((action) => ({
    principal: { ...one.principal, ...(one.tokenIsExchanged && { tokenIsExchanged: true }) },
    action,
    resource: {
      id: `${one.registry}/${one.registryId}/${one.repository}`,
      attrs: {
        name: one.repository,
        namespace: namespaceOf(one.repository),
        registry: one.registry,
        registryId: one.registryId,
      },
    },
    context: { ...usualContext(action), ...one.context },
    now: one.now,
  }));

/** @throws CommandError with file, line and what was expected */
export function parseCases(text: string, file: string): PolicyCase[] {
  const lines = new LineCounter();
  const document = parseDocument(withoutByteOrderMark(text), { lineCounter: lines, merge: true });
  const [error] = document.errors;
  if (error) {
    throw new CommandError(`${file}:${lines.linePos(error.pos[0]).line}: ${error.message}`);
  }
  const list = isMap(document.contents) ? [document.contents] : document.contents;
  const nodes = isSeq(list) ? list.items : list;
  if (!Array.isArray(nodes)) {
    throw new CommandError(`${file}:1: expected a list of cases`);
  }
  return nodes.map((node) => {
    const line = lines.linePos(isNode(node) ? (node.range?.[0] ?? 0) : 0).line;
    const { data, error: fault } = policyCase.safeParse(isNode(node) ? node.toJS(document) : node);
    if (!data) {
      const issues = fault.issues.map((issue) => describeIssue(issue, 'the case', ''));
      throw new CommandError(`${file}:${line}: ${issues.join('; ')}`);
    }
    return { ...data, file, line };
  });
}

/** The cases of every `*.test.yaml` file of a directory. */
export const readCases = (directory: string): PolicyCase[] =>
  readdirSync(directory)
    .filter((file) => file.endsWith('.test.yaml'))
    .sort()
    .flatMap((file) => parseCases(readFileSync(join(directory, file), 'utf8'), basename(file)));

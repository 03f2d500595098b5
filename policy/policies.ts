// The operator's Cedar policies, asked for decisions: those that are enforced, and those that are only watched.

import type * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { maxPolicyErrorCharacters, maxPolicyErrors } from '../api/limits.ts';
import { isWellFormed } from '../api/well-formed.ts';
import { type Cedar, newCedar, openEngine } from './cedar.ts';
import { type DecisionRequest, type Described, describeForCedar } from './entities.ts';
import { schemaFile } from './policy-directory.ts';
import { explain, type Policy, PolicyError, type PolicyFiles, readPolicyFiles } from './policy-files.ts';
import { sampleRequests } from './sample-requests.ts';

export type { DecisionRequest } from './entities.ts';

export type Verdict = {
  allowed: boolean;
  policies: readonly { id: string; message?: string }[];
  /** Never empty without a denial. */
  errors: readonly string[];
};

/** What was decided, and by which policies. */
export type Decision = Verdict & {
  /** What would have been decided if the policies in audit mode were enforced, where that is something else. */
  audit?: Verdict;
};

export type Policies = { decide(request: DecisionRequest): Decision };

/** Cedar's words may quote what a client sent. */
const denial = (errors: readonly string[]): Verdict => ({
  allowed: false,
  policies: [],
  errors: errors.slice(0, maxPolicyErrors).map((error) => error.slice(0, maxPolicyErrorCharacters)),
});

function verdictOf(
  answer: cedar.AuthorizationAnswer,
  messages: ReadonlyMap<string, string | undefined>,
): Verdict {
  if (answer.type === 'failure') {
    return denial(answer.errors.map(explain));
  }
  const { decision, diagnostics } = answer.response;
  const policies = diagnostics.reason.sort().map((id) => {
    const message = messages.get(id);
    return message === undefined ? { id } : { id, message };
  });
  // Cedar skips a policy that fails; a forbid that failed must not let anybody in.
  if (diagnostics.errors.length > 0) {
    return {
      ...denial(diagnostics.errors.map(({ policyId, error }) => `${policyId}: ${explain(error)}`)),
      policies,
    };
  }
  return { allowed: decision === 'allow', policies, errors: [] };
}

const nameOf = (failure: unknown) =>
  failure instanceof Error ? `${failure.name}: ${failure.message}` : 'unknown';

function assertParsed(answer: cedar.CheckParseAnswer) {
  if (answer.type === 'failure') {
    throw new Error(answer.errors.map(explain).join('; '));
  }
}

/** The names under which an engine keeps what it has parsed. */
const schemaName = 'schema';
const enforced = 'enforced';
const watched = 'watched';

/** What a new engine is given: with a few policies in some 15 ms, with 500 in some 100. */
const preparation = (schema: string, sets: ReadonlyMap<string, readonly Policy[]>) => (cedar: Cedar) => {
  assertParsed(cedar.preparseSchema(schemaName, schema));
  for (const [name, policies] of sets) {
    const staticPolicies = Object.fromEntries(policies.map(({ id, text }) => [id, text]));
    assertParsed(cedar.preparsePolicySet(name, { staticPolicies }));
  }
};

/** The sets that are asked: the policies that are enforced, and all of them if some are only watched. */
function setsOf(policies: readonly Policy[]): ReadonlyMap<string, readonly Policy[]> {
  const enforcedOnes = policies.filter(({ audit }) => !audit);
  return new Map([
    [enforced, enforcedOnes],
    ...(enforcedOnes.length < policies.length ? [[watched, policies] as const] : []),
  ]);
}

type IsAuthorized = (described: Described, set: string) => cedar.AuthorizationAnswer;

/** @throws PolicyError where Cedar does not take the request, or its engine fails at the policies */
function assertDecided(request: DecisionRequest, sets: readonly string[], isAuthorized: IsAuthorized) {
  const refuse = (message: string) => new PolicyError([{ file: schemaFile, line: 1, column: 1, message }]);
  for (const set of sets) {
    let answer: cedar.AuthorizationAnswer;
    try {
      answer = isAuthorized(describeForCedar(request), set);
    } catch (error) {
      throw refuse(`Cedar's engine fails with this schema and these policies: ${nameOf(error)}`);
    }
    if (answer.type === 'success') {
      continue;
    }
    const reason = answer.errors.map(explain).join('; ');
    throw refuse(
      `does not take a ${request.action} by a ${request.principal.type} as the proxy asks it: ${reason}`,
    );
  }
}

/**
 * Parses the policies once, and decides about a request of every kind: that pays for the first decision, and shows
 * that the operator's schema takes what the proxy asks.
 *
 * @param make for tests, which plant engines that fail
 * @throws PolicyError where no decision could be made
 */
export function openPolicies(
  { schema, policies }: Pick<PolicyFiles, 'schema' | 'policies'>,
  make: () => Cedar = newCedar,
): Policies {
  const messages = new Map(policies.map(({ id, message }) => [id, message]));
  const sets = setsOf(policies);
  const engine = openEngine(preparation(schema, sets), make);
  const isAuthorized = (described: Described, preparsedPolicySetId: string) =>
    engine((cedar) =>
      cedar.statefulIsAuthorized({
        ...described,
        preparsedSchemaName: schemaName,
        preparsedPolicySetId,
        validateRequest: true,
      }),
    );

  const ask = (request: DecisionRequest, set: string): Verdict => {
    try {
      const described = describeForCedar(request);
      if (!isWellFormed(described)) {
        return denial(['the request holds text that is not well-formed Unicode']);
      }
      return verdictOf(isAuthorized(described, set), messages);
    } catch (error) {
      return denial([`Cedar's engine failed: ${nameOf(error)}`]);
    }
  };

  for (const request of sampleRequests()) {
    assertDecided(request, [...sets.keys()], isAuthorized);
  }
  return {
    decide: (request) => {
      const verdict = ask(request, enforced);
      const audit = sets.has(watched) ? ask(request, watched) : undefined;
      return audit && audit.allowed !== verdict.allowed ? { ...verdict, audit } : verdict;
    },
  };
}

/**
 * Reads the schema and every `*.cedar` file of a directory.
 *
 * @throws PolicyError naming what does not parse or validate, and where.
 */
export const loadPolicies = (directory: string): Policies => openPolicies(readPolicyFiles(directory));

// The operator's Cedar policies, asked for decisions: those that are enforced, and those that are only watched.

import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { type DecisionRequest, describeForCedar } from './entities.ts';
import { explain, type Policy, type PolicyFiles, readPolicyFiles } from './policy-files.ts';
import { slicer } from './policy-slices.ts';

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

type Ask = (request: DecisionRequest) => Verdict;

const assertParsed = (answer: cedar.CheckParseAnswer) => {
  if (answer.type === 'failure') throw new Error(answer.errors.map(explain).join('; '));
};

/** Cedar keeps what it has parsed under a name, for as long as the process lives. */
let names = 0;
const nextName = () => `ecr-upload-proxy-${names++}`;

const verdictOf = (
  answer: cedar.AuthorizationAnswer,
  messages: ReadonlyMap<string, string | undefined>,
): Verdict => {
  if (answer.type === 'failure') return { allowed: false, policies: [], errors: answer.errors.map(explain) };
  const { decision, diagnostics } = answer.response;
  const errors = diagnostics.errors.map(({ policyId, error }) => `${policyId}: ${explain(error)}`);
  return {
    // Cedar skips a policy that fails; a forbid that failed must not let anybody in.
    allowed: decision === 'allow' && errors.length === 0,
    policies: diagnostics.reason.sort().map((id) => {
      const message = messages.get(id);
      return message === undefined ? { id } : { id, message };
    }),
    errors,
  };
};

/** How many sets of policies are kept parsed. The one that was asked least lately makes room. */
const maxParsedSets = 200;

/** Gives a set of policies the name under which Cedar has it parsed. */
const parser = () => {
  const parsed = new Map<string, string>();
  return (policies: readonly Policy[]): string => {
    const key = policies.map(({ id }) => JSON.stringify(id)).join();
    const oldest = parsed.size < maxParsedSets ? undefined : parsed.keys().next().value;
    const known = parsed.get(key);
    const name = known ?? (oldest === undefined ? undefined : parsed.get(oldest)) ?? nextName();
    if (known === undefined) {
      const staticPolicies = Object.fromEntries(policies.map(({ id, text }) => [id, text]));
      assertParsed(cedar.preparsePolicySet(name, { staticPolicies }));
      if (oldest !== undefined) parsed.delete(oldest);
    }
    parsed.delete(key);
    parsed.set(key, name);
    return name;
  };
};

/** Asks a set of policies, of which each request meets only those that can decide about it. */
const asker = (preparsedSchemaName: string, policies: readonly Policy[]): Ask => {
  const messages = new Map(policies.map(({ id, message }) => [id, message]));
  const slice = slicer(policies);
  const parse = parser();
  return (request) => {
    const { principal, action } = request;
    const candidates = slice({ type: principal.type, id: principal.id }, action);
    return verdictOf(
      cedar.statefulIsAuthorized({
        ...describeForCedar(request),
        preparsedSchemaName,
        preparsedPolicySetId: parse(candidates.filter(({ mayHold }) => mayHold(request))),
        validateRequest: true,
      }),
      messages,
    );
  };
};

const firstRequest: DecisionRequest = {
  principal: { type: 'Client', id: '' },
  action: 'InitiateLayerUpload',
  resource: { id: '', attrs: { name: '', namespace: '', registry: '', registryId: '' } },
  context: {},
  now: new Date(0),
};

const isOtherwise = (one: Verdict, other: Verdict) => one.allowed !== other.allowed;

/** Parses the policies once, and pays for the first decision, which takes some 30 ms more than the next. */
export const openPolicies = ({ schema, policies }: Pick<PolicyFiles, 'schema' | 'policies'>): Policies => {
  const schemaName = nextName();
  assertParsed(cedar.preparseSchema(schemaName, schema));
  const enforce = asker(
    schemaName,
    policies.filter(({ audit }) => !audit),
  );
  const watch = policies.some(({ audit }) => audit) ? asker(schemaName, policies) : undefined;
  const decide = (request: DecisionRequest): Decision => {
    const verdict = enforce(request);
    const audit = watch?.(request);
    return audit && isOtherwise(verdict, audit) ? { ...verdict, audit } : verdict;
  };
  decide(firstRequest);
  return { decide };
};

/**
 * Reads the schema and every `*.cedar` file of a directory.
 *
 * @throws PolicyError naming what does not parse or validate, and where.
 */
export const loadPolicies = (directory: string): Policies => openPolicies(readPolicyFiles(directory));

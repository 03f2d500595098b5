// The operator's Cedar policies: read from their directory, validated against the schema, asked for decisions.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { type DecisionRequest, describeForCedar } from './entities.ts';

export type { DecisionRequest } from './entities.ts';

/** What was decided, and by which policies. `errors` is never empty without a denial. */
export type Decision = {
  allowed: boolean;
  policies: readonly { id: string; message?: string }[];
  errors: readonly string[];
};

export type Policies = { decide(request: DecisionRequest): Decision };

/** A policy directory that cannot be used, with every reason. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
}

type Policy = { id: string; text: string; message?: string };

const schemaFile = 'schema.cedarschema';

const explain = ({ message, help }: cedar.DetailedError) => (help ? `${message} (${help})` : message);

/** Cedar numbers a file's policies `policy0`, `policy1` … and returns them sorted by that name as text. */
const inFileOrder = (texts: readonly string[]): readonly string[] => {
  const names = texts.map((_, index) => `policy${index}`).sort();
  return texts.map((_, index) => texts[names.indexOf(`policy${index}`)] ?? '');
};

const parsePolicy = (text: string, fallbackId: string): Policy => {
  const parsed = cedar.policyToJson(text);
  if (parsed.type === 'failure') throw new PolicyError(parsed.errors.map(explain).join('; '));
  const { id = fallbackId, message } = parsed.json.annotations ?? {};
  return { id, text, ...(message === undefined ? {} : { message }) };
};

const parseFile = (directory: string, file: string): readonly Policy[] => {
  const parts = cedar.policySetTextToParts(readFileSync(join(directory, file), 'utf8'));
  if (parts.type === 'failure') throw new PolicyError(`${file}: ${parts.errors.map(explain).join('; ')}`);
  return inFileOrder(parts.policies).map((text, index) => parsePolicy(text, `${file}#${index + 1}`));
};

const assertUniqueIds = (policies: readonly Policy[]) => {
  const seen = new Set<string>();
  for (const { id } of policies) {
    if (seen.has(id)) throw new PolicyError(`two policies have the id ${id}`);
    seen.add(id);
  }
};

const assertValid = (schema: string, staticPolicies: Record<string, string>) => {
  const answer = cedar.validate({ schema, policies: { staticPolicies } });
  const faults =
    answer.type === 'failure'
      ? answer.errors.map(explain)
      : answer.validationErrors.map(({ policyId, error }) => `${policyId}: ${explain(error)}`);
  if (faults.length > 0) throw new PolicyError(faults.join('\n'));
};

const firstRequest: DecisionRequest = {
  principal: { type: 'Client', id: '' },
  action: 'InitiateLayerUpload',
  resource: { id: '', attrs: { name: '', namespace: '', registry: '', registryId: '' } },
  context: {},
  now: new Date(0),
};

const assertParsed = (answer: cedar.CheckParseAnswer) => {
  if (answer.type === 'failure') throw new PolicyError(answer.errors.map(explain).join('; '));
};

/**
 * Reads `schema.cedarschema` and every `*.cedar` file of a directory. A policy is known by its `@id`
 * annotation, or else by its file's name and its number in it.
 *
 * @throws PolicyError naming what does not parse or validate.
 */
export const loadPolicies = (directory: string): Policies => {
  const schema = readFileSync(join(directory, schemaFile), 'utf8');
  const files = readdirSync(directory).filter((file) => file.endsWith('.cedar'));
  const policies = files.sort().flatMap((file) => parseFile(directory, file));
  assertUniqueIds(policies);
  const staticPolicies = Object.fromEntries(policies.map(({ id, text }) => [id, text]));
  assertValid(schema, staticPolicies);
  // Parsed once and kept in the WebAssembly module under the directory's name.
  assertParsed(cedar.preparseSchema(directory, schema));
  assertParsed(cedar.preparsePolicySet(directory, { staticPolicies }));
  const messages = new Map(policies.map(({ id, message }) => [id, message]));
  const policySet = { decide: (request: DecisionRequest) => decide(directory, messages, request) };
  // The first decision takes some 30 ms more than the next: paid here, in Lambda's init phase.
  policySet.decide(firstRequest);
  return policySet;
};

const decide = (
  preparsed: string,
  messages: ReadonlyMap<string, string | undefined>,
  request: DecisionRequest,
): Decision => {
  const answer = cedar.statefulIsAuthorized({
    ...describeForCedar(request),
    preparsedSchemaName: preparsed,
    preparsedPolicySetId: preparsed,
    validateRequest: true,
  });
  if (answer.type === 'failure') {
    return { allowed: false, policies: [], errors: answer.errors.map(explain) };
  }
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

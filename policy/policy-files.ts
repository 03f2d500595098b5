// The policy files of a directory: read, parsed and validated, with the place of whatever is wrong in them.

import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { maxPolicyBytes } from '../api/limits.ts';
import { type Cedar, type Engine, newCedar, openEngine } from './cedar.ts';
import { depthFault, tooDeepToRead } from './policy-depth.ts';
import { readPolicyFile, schemaFile } from './policy-directory.ts';
import { statementsOf } from './policy-statements.ts';

/** One policy, as its file has it. */
export type Policy = {
  /** Its `@id`, or else its file's name and its number in it. */
  id: string;
  text: string;
  effect: cedar.Effect;
  message: string | undefined;
  /** Evaluated and logged, not enforced: `@mode("audit")`. */
  audit: boolean;
  file: string;
  line: number;
};

export type PolicyFiles = { schema: string; policies: readonly Policy[]; warnings: readonly PolicyFault[] };

/** What is wrong, and where; lines and columns count from 1. */
export type PolicyFault = { file: string; line: number; column: number; message: string };

/** A policy directory that cannot be used, with every reason. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  readonly faults: readonly PolicyFault[];

  constructor(faults: readonly PolicyFault[]) {
    super(faults.map(describeFault).join('\n'));
    this.faults = faults;
  }
}

export const describeFault = ({ file, line, column, message }: PolicyFault): string =>
  `${file}:${line}:${column}: ${message}`;

export const explain = ({ message, help }: cedar.DetailedError): string =>
  help ? `${message} (${help})` : message;

type Source = { file: string; bytes: Buffer };

const readSource = (path: string): Source => ({ file: basename(path), bytes: readPolicyFile(path) });

/** Cedar counts bytes of UTF-8; an editor counts characters. */
function placeOf({ file, bytes }: Source, offset: number) {
  const before = bytes.subarray(0, offset).toString().split('\n');
  return { file, line: before.length, column: (before.at(-1) ?? '').length + 1 };
}

function faultOf(source: Source, error: cedar.DetailedError, policyId?: string): PolicyFault {
  const [place] = error.sourceLocations ?? [];
  // Cedar calls a policy by the number it gave it, here or there; its label says what was expected at the place.
  const reason = explain(error).replaceAll(/for policy `[^`]*`, /g, '');
  const message = place?.label ? `${reason}: ${place.label}` : reason;
  return {
    ...placeOf(source, place?.start ?? 0),
    message: policyId === undefined ? message : `${policyId}: ${message}`,
  };
}

function unprepared() {}

/** What Cedar says, or nothing where its engine failed, as it does at text that nests too deep. */
function ask<T>(engine: Engine, run: (cedar: Cedar) => T): T | undefined {
  try {
    return engine(run);
  } catch {
    return;
  }
}

const wholeFile = ({ file }: Source, message: string): PolicyFault => ({ file, line: 1, column: 1, message });

/** Which policies of a file the engine fails at: it does not say so itself. */
function unreadable(engine: Engine, source: Source): PolicyFault[] {
  const faults = statementsOf(source.bytes.toString()).flatMap(({ text, offset }) =>
    ask(engine, (cedar) => cedar.policyToJson(text))
      ? []
      : [{ ...placeOf(source, offset), message: tooDeepToRead }],
  );
  return faults.length > 0 ? faults : [wholeFile(source, 'Cedar fails to read these policies')];
}

/** Cedar numbers a file's policies `policy0`, `policy1` … and returns them sorted by that name as text. */
function inFileOrder(texts: readonly string[]): readonly string[] {
  const names = texts.map((_, index) => `policy${index}`);
  const sorted = names.toSorted();
  return names.map((name) => texts[sorted.indexOf(name)] ?? '');
}

const modes: Readonly<Record<string, { audit: boolean }>> = {
  enforce: { audit: false },
  audit: { audit: true },
};

type Place = { line: number; column: number };

function policyOf(engine: Engine, source: Source, text: string, place: Place, number: number): Policy {
  const refuse = (message: string) => new PolicyError([{ file: source.file, ...place, message }]);
  const parsed = ask(engine, (cedar) => cedar.policyToJson(text));
  if (!parsed) {
    throw refuse(tooDeepToRead);
  }
  if (parsed.type === 'failure') {
    throw new PolicyError(parsed.errors.map((error) => faultOf(source, error)));
  }
  const { effect, annotations } = parsed.json;
  const { id = `${source.file}#${number}`, message, mode: modeName = 'enforce' } = annotations ?? {};
  const mode = Object.hasOwn(modes, modeName) ? modes[modeName] : undefined;
  if (!mode) {
    throw refuse(`${id}: @mode("${modeName}"): expected ${Object.keys(modes).join(' or ')}`);
  }
  const fault = depthFault(parsed.json);
  if (fault) {
    throw refuse(`${id}: ${fault}`);
  }
  return { id, text, effect, message, ...mode, file: source.file, line: place.line };
}

function policiesOf(engine: Engine, source: Source): readonly Policy[] {
  const parts = ask(engine, (cedar) => cedar.policySetTextToParts(source.bytes.toString()));
  if (!parts) {
    throw new PolicyError(unreadable(engine, source));
  }
  if (parts.type === 'failure') {
    throw new PolicyError(parts.errors.map((error) => faultOf(source, error)));
  }
  if (parts.policy_templates.length > 0) {
    const message = 'a template (?principal, ?resource): nothing here could fill it in';
    throw new PolicyError([{ file: source.file, line: 1, column: 1, message }]);
  }
  let from = 0;
  return inFileOrder(parts.policies).map((text, index) => {
    const offset = Math.max(source.bytes.indexOf(text, from), from);
    from = offset + Buffer.byteLength(text);
    return policyOf(engine, source, text, placeOf(source, offset), index + 1);
  });
}

/**
 * The policies of one file's text, parsed but not yet held against a schema.
 *
 * @param make for tests, which plant engines that fail
 */
export const readPolicyText = (file: string, text: string, make: () => Cedar = newCedar): readonly Policy[] =>
  policiesOf(openEngine(unprepared, make), { file, bytes: Buffer.from(text) });

function judge(engine: Engine, schema: string, source: Source, policies: readonly Policy[]) {
  const call = { schema, policies: { staticPolicies: source.bytes.toString() } };
  const answer = ask(engine, (cedar) => cedar.validate(call));
  if (!answer) {
    return { errors: [wholeFile(source, 'Cedar fails to validate these policies')], warnings: [] };
  }
  if (answer.type === 'failure') {
    return { errors: answer.errors.map((error) => faultOf(source, error)), warnings: [] };
  }
  const nameOf = (policyId: string) => policies[Number(policyId.replace('policy', ''))]?.id ?? policyId;
  const toFault = ({ policyId, error }: cedar.ValidationError) => faultOf(source, error, nameOf(policyId));
  return {
    errors: answer.validationErrors.map(toFault),
    warnings: answer.validationWarnings.map(toFault),
  };
}

function repeatedIds(policies: readonly Policy[]): PolicyFault[] {
  const seen = new Map<string, Policy>();
  return policies.flatMap((policy) => {
    const first = seen.get(policy.id);
    seen.set(policy.id, first ?? policy);
    const message = `two policies have the id ${policy.id}: the first is in ${first?.file}, line ${first?.line}`;
    return first ? [{ file: policy.file, line: policy.line, column: 1, message }] : [];
  });
}

function attempt<T>(run: () => T): { value?: T; faults: readonly PolicyFault[] } {
  try {
    return { value: run(), faults: [] };
  } catch (error) {
    if (error instanceof PolicyError) {
      return { faults: error.faults };
    }
    throw error;
  }
}

function readSchema(engine: Engine, file: string): string {
  const source = readSource(file);
  const schema = source.bytes.toString();
  const checked = ask(engine, (cedar) => cedar.checkParseSchema(schema));
  if (!checked) {
    throw new PolicyError([wholeFile(source, 'types nested too deep for Cedar to read')]);
  }
  if (checked.type === 'failure') {
    throw new PolicyError(checked.errors.map((error) => faultOf(source, error)));
  }
  return schema;
}

/** @param schemaBytes what the schema takes of the bytes that are allowed */
function sizeFault(schemaBytes: number, sources: readonly Source[]): PolicyFault | undefined {
  let total = schemaBytes;
  for (const source of sources) {
    total += source.bytes.length;
    if (total <= maxPolicyBytes) {
      continue;
    }
    const advice = 'write one policy with a condition, or a long set, in place of many policies';
    return wholeFile(source, `here the schema and the policies exceed ${maxPolicyBytes} bytes: ${advice}`);
  }
  return;
}

/**
 * Reads the schema and every `*.cedar` file of a directory.
 *
 * @param make for tests, which plant engines that fail
 * @throws PolicyError naming, for each fault, file, line, column and what was expected; Error naming a file that cannot
 *   be read.
 */
export function readPolicyFiles(
  directory: string,
  schemaPath: string = join(directory, schemaFile),
  make: () => Cedar = newCedar,
): PolicyFiles {
  const engine = openEngine(unprepared, make);
  const schema = readSchema(engine, schemaPath);
  const files = readdirSync(directory).filter((file) => file.endsWith('.cedar'));
  const sources = files.sort().map((file) => readSource(join(directory, file)));
  const tooLarge = sizeFault(Buffer.byteLength(schema), sources);
  if (tooLarge) {
    throw new PolicyError([tooLarge]);
  }
  const read = sources.map((source) => {
    const { value: policies = [], faults } = attempt(() => policiesOf(engine, source));
    const { errors, warnings } =
      faults.length > 0 ? { errors: faults, warnings: [] } : judge(engine, schema, source, policies);
    return { policies, errors, warnings };
  });
  const policies = read.flatMap((one) => one.policies);
  const faults = [...read.flatMap(({ errors }) => errors), ...repeatedIds(policies)];
  if (faults.length > 0) {
    throw new PolicyError(faults);
  }
  return { schema, policies, warnings: read.flatMap(({ warnings }) => warnings) };
}

// A policy directory as it is read: its files, the place of whatever is wrong in them, and an engine that fails at them.

import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DetailedError } from '@cedar-policy/cedar-wasm/nodejs';
import { describe, expect, it } from 'vitest';
import { maxPolicyBytes, maxPolicyDepth } from '../../api/limits.ts';
import { type Cedar, newCedar } from '../../policy/cedar.ts';
import { readPolicyFile } from '../../policy/policy-directory.ts';
import { explain, PolicyError, readPolicyFiles, readPolicyText } from '../../policy/policy-files.ts';
import { readQuotas } from '../../policy/quota-file.ts';

const real = newCedar();

/** The real engine, but for what is replaced in it. */
const planted = (members: Partial<Cedar>) => (): Cedar => ({ ...real, ...members });

function trap(): never {
  throw new RangeError('Maximum call stack size exceeded');
}

/** A directory of these files, in the order in which they are named. */
function directoryOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'policies-'));
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(directory, name), content);
  }
  return directory;
}

function errorOf(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    if (error instanceof Error) {
      return error;
    }
  }
  throw new Error('not refused');
}

const messageOf = (run: () => unknown) => errorOf(run).message;

const permit = 'permit (principal, action, resource);';
const schema =
  'entity Client; entity Repository { name: String }; action Put, Get appliesTo { principal: Client, resource: Repository };';

const readAll = (files: Readonly<Record<string, string>>, make = () => real) =>
  readPolicyFiles(directoryOf({ 'schema.cedarschema': schema, ...files }), undefined, make);

const readOne = (text: string, make = () => real) => readPolicyText('a.cedar', text, make);

/** What a directory of these policies is refused for, one line for each fault. */
const faultsIn = (files: Readonly<Record<string, string>>, make = () => real) =>
  messageOf(() => readAll(files, make));

describe('a file of a policy directory', () => {
  const bytesOf = (content: string | Uint8Array) =>
    readPolicyFile(join(directoryOf({ 'a.cedar': content }), 'a.cedar')).toString();

  it('is read as it is, but for the byte order mark it may begin with', () => {
    expect(bytesOf('abcdé')).toBe('abcdé');
    expect(bytesOf('')).toBe('');
    expect(bytesOf('\uFEFFabc')).toBe('abc');
    expect(bytesOf('abc\uFEFF')).toBe('abc\uFEFF');
    expect(bytesOf('\uFEFF\uFEFFabc')).toBe('\uFEFFabc');
  });

  it('is named with what is wrong with it', () => {
    const directory = directoryOf({ 'a.cedar': Buffer.from([0x61, 0xff]) });
    mkdirSync(join(directory, 'b.cedar'));
    const read = (name: string) => () => readPolicyFile(join(directory, name));
    expect(messageOf(read('a.cedar'))).toBe('a.cedar cannot be read: it is not UTF-8');
    expect(messageOf(read('b.cedar'))).toBe('b.cedar cannot be read: it is not a file');
    expect(errorOf(read('c.cedar'))).toMatchObject({
      message: expect.stringMatching(/^c\.cedar cannot be read: ENOENT: /),
      cause: { code: 'ENOENT' },
    });
  });

  it('may hold quotas, of which there are none without it', () => {
    expect(readQuotas(directoryOf({}))).toEqual([]);
    expect(
      readQuotas(directoryOf({ 'quotas.yaml': '- { name: a, client: b, bytesPerDay: 1 }' })),
    ).toMatchObject([{ name: 'a', client: 'b', bytesPerDay: 1 }]);
  });
});

describe('the policies of a directory', () => {
  it('are those of all its files that end with .cedar, sorted by their names', () => {
    const names = ['c', 'b', 'z', 'a', 'm', 'B'];
    const files = Object.fromEntries(names.map((name) => [`${name}.cedar`, permit]));
    const { policies, warnings } = readAll({ ...files, 'x.cedar.md': 'no', cedar: 'no' });
    expect(policies.map(({ file }) => file)).toEqual(
      ['B', 'a', 'b', 'c', 'm', 'z'].map((one) => `${one}.cedar`),
    );
    expect(warnings).toEqual([]);
  });

  it('have what their annotations say, or else their file’s name and their number in it', () => {
    const text = `// é\n @id("one") @message("no") @mode("audit")\nforbid (principal, action, resource);\n${permit}  ${permit}\n@mode("enforce") ${permit}`;
    const at = (line: number) => ({ file: 'a.cedar', line });
    const permitting = { text: permit, effect: 'permit', message: undefined, audit: false };
    expect(readOne(text)).toEqual([
      {
        ...at(2),
        ...{ id: 'one', effect: 'forbid', message: 'no', audit: true },
        text: text.slice(text.indexOf('@id'), text.indexOf('\npermit')),
      },
      { ...at(4), ...permitting, id: 'a.cedar#2' },
      { ...at(4), ...permitting, id: 'a.cedar#3' },
      { ...at(5), ...permitting, id: 'a.cedar#4', text: `@mode("enforce") ${permit}` },
    ]);
  });

  it('that are alike have each the line of its own', () => {
    const policies = readOne(`${permit}\n\n${permit}\n${permit}`);
    expect(policies.map(({ id, line }) => [id, line])).toEqual([
      ['a.cedar#1', 1],
      ['a.cedar#2', 3],
      ['a.cedar#3', 4],
    ]);
  });

  it('are numbered as they stand in the file, also beyond the tenth', () => {
    const effects = Array.from({ length: 12 }, (_, at) => (at % 3 === 0 ? 'permit' : 'forbid'));
    const text = effects.map((effect) => `${effect} (principal, action, resource);`).join('\n');
    const policies = readOne(text);
    expect(policies.map(({ effect }) => effect)).toEqual(effects);
    expect(policies.map(({ line }) => line)).toEqual(effects.map((_, at) => at + 1));
  });

  it('that can never apply are warned of, each at its place', () => {
    const text = `${permit}\n  @id("never") permit (principal, action, resource) when { false };`;
    const { policies, warnings } = readAll({ 'a.cedar': text });
    expect(policies).toHaveLength(2);
    expect(warnings).toEqual([
      {
        ...{ file: 'a.cedar', line: 2, column: 3 },
        message: expect.stringMatching(/^never: policy is impossible/),
      },
    ]);
  });
});

describe('what is wrong with a policy', () => {
  it.each<[string, string, string]>([
    ['what does not parse, and what was expected there', '// é\n  permit (é', 'a.cedar:2:11: invalid token'],
    [
      'an annotation that is there twice',
      '@a("x") @a("y") permit (principal, action, resource);',
      'a.cedar:1:9: duplicate annotation: @a',
    ],
    [
      'an attribute that nothing has',
      `${permit}\n@id("odd") permit (principal, action, resource) when { resource.colour == "red" };`,
      'a.cedar:2:56: odd: attribute `colour` on entity type `Repository` not found (did you mean `name`?)',
    ],
    [
      'an attribute that nothing has, in a policy without an id',
      'permit (principal, action, resource) when { resource.colour == "red" };',
      'a.cedar:1:45: a.cedar#1: attribute `colour` on entity type `Repository` not found (did you mean `name`?)',
    ],
    [
      'types that differ, of which Cedar tells the policy in its advice alone',
      '@id("odd") permit (principal, action, resource) when { resource.name == 1 };',
      'a.cedar:1:56: odd: the types Long and String are not compatible (both operands to a `==` expression must have compatible types. Types must be exactly equal to be compatible)',
    ],
    [
      'a mode that there is not',
      `${permit}\n @id("x") @mode("watch") ${permit}`,
      'a.cedar:2:2: x: @mode("watch"): expected enforce or audit',
    ],
    [
      'a mode that every object has',
      `@mode("constructor") ${permit}`,
      'a.cedar:1:1: a.cedar#1: @mode("constructor"): expected enforce or audit',
    ],
    [
      'expressions that nest too deep',
      `@id("deep") permit (principal, action, resource) when { ${'['.repeat(maxPolicyDepth - 2)}1${']'.repeat(maxPolicyDepth - 2)} == 1 };`,
      `a.cedar:1:1: deep: nested ${maxPolicyDepth + 1} deep (at most ${maxPolicyDepth}): write a long list as [ … ].contains( … ), or as several policies`,
    ],
    [
      'a template',
      `${permit}\npermit (principal == ?principal, action, resource);`,
      'a.cedar:1:1: a template (?principal, ?resource): nothing here could fill it in',
    ],
  ])('is said with its place: %s', (_, text, expected) => {
    expect(faultsIn({ 'a.cedar': text })).toBe(expected);
  });

  it('is said of all files at once, of none twice', () => {
    const unknown = 'permit (principal, action, resource) when { resource.colour == "red" };';
    const wrongMode = `@mode("x") ${unknown}`;
    const files = { 'a.cedar': wrongMode, 'b.cedar': unknown, 'c.cedar': wrongMode };
    expect(faultsIn(files).split('\n')).toEqual([
      'a.cedar:1:1: a.cedar#1: @mode("x"): expected enforce or audit',
      expect.stringMatching(/^b\.cedar:1:45: b\.cedar#1: attribute `colour`/),
      'c.cedar:1:1: c.cedar#1: @mode("x"): expected enforce or audit',
    ]);
  });

  it('may be that another has its id, which is named with its place', () => {
    const named = `@id("one") ${permit}`;
    expect(
      faultsIn({ 'a.cedar': `\n${named}`, 'b.cedar': `${named}\n${permit}\n${named}` }).split('\n'),
    ).toEqual([
      'b.cedar:1:1: two policies have the id one: the first is in a.cedar, line 2',
      'b.cedar:3:1: two policies have the id one: the first is in a.cedar, line 2',
    ]);
  });

  it('may be the schema', () => {
    expect(faultsIn({ 'schema.cedarschema': 'entity A\n { a: Foo };', 'a.cedar': permit })).toBe(
      'schema.cedarschema:2:7: failed to resolve type: Foo (`Foo` has not been declared as a common or entity type)',
    );
    expect(faultsIn({ 'schema.cedarschema': 'entity A { a: ' })).toBe(
      'schema.cedarschema:1:14: failed to parse schema from string: error parsing schema: unexpected end of input: expected `{`, identifier, or `Set`',
    );
  });

  it('is an error that says so, with each fault', () => {
    const error = errorOf(() => readOne('permit'));
    expect(error).toBeInstanceOf(PolicyError);
    expect(error).toMatchObject({ name: 'PolicyError', faults: [{ file: 'a.cedar', line: 1, column: 7 }] });
  });
});

describe('how large policies may be', () => {
  const expected = (file: string) =>
    `${file}:1:1: here the schema and the policies exceed ${maxPolicyBytes} bytes: write one policy with a condition, or a long set, in place of many policies`;
  const comment = (bytes: number) => `//${'x'.repeat(bytes - 2)}`;
  const half = (maxPolicyBytes - schema.length) / 2;

  it('is said for the schema and all files, at the file that is too much', () => {
    const [first, second] = [comment(Math.floor(half)), comment(Math.ceil(half))];
    expect(readAll({ 'a.cedar': first, 'b.cedar': second }).policies).toEqual([]);
    expect(faultsIn({ 'a.cedar': first, 'b.cedar': `${second}x`, 'c.cedar': 'no' })).toBe(
      expected('b.cedar'),
    );
  });
});

describe('an engine of Cedar’s that fails', () => {
  it.each<[string, Partial<Cedar>, string]>([
    [
      'to read the schema',
      { checkParseSchema: trap },
      'schema.cedarschema:1:1: types nested too deep for Cedar to read',
    ],
    [
      'to read the policies together',
      { policySetTextToParts: trap },
      'a.cedar:1:1: Cedar fails to read these policies',
    ],
    ['to validate the policies', { validate: trap }, 'a.cedar:1:1: Cedar fails to validate these policies'],
  ])('%s is told of the file', (_, members, expected) => {
    expect(faultsIn({ 'a.cedar': permit }, planted(members))).toBe(expected);
  });

  const tooDeep = expect.stringMatching(/nested too deep for Cedar to read/);

  it('to read one policy is told of its place, however many there are', () => {
    const policyToJson: Cedar['policyToJson'] = (policy) =>
      String(policy).includes('deep') ? trap() : real.policyToJson(policy);
    const text = `${permit}\n // é\n  @id("deep") ${permit} ${permit}\n@id("deep") ${permit}`;
    const faults = (members: Partial<Cedar>) => faultsIn({ 'a.cedar': text }, planted(members)).split('\n');
    expect(faults({ policyToJson, policySetTextToParts: trap })).toEqual([tooDeep, tooDeep]);
    expect(faults({ policyToJson, policySetTextToParts: trap }).map((one) => one.split(': ')[0])).toEqual([
      'a.cedar:3:3',
      'a.cedar:4:1',
    ]);
    expect(faults({ policyToJson })).toEqual([tooDeep]);
    expect(faults({ policyToJson })[0]).toMatch(/^a\.cedar:3:3: /);
  });
});

describe('an answer of Cedar’s', () => {
  const error: DetailedError = { message: 'm', ...{ help: null, code: null, url: null, severity: null } };
  const failure = () => ({ type: 'failure' as const, errors: [error, { ...error, message: 'n' }] });

  it('may give no place, which is then the beginning of the file', () => {
    const all = 'a.cedar:1:1: m\na.cedar:1:1: n';
    const text = ` ${permit}`;
    expect(faultsIn({ 'a.cedar': text }, planted({ policySetTextToParts: failure }))).toBe(all);
    expect(faultsIn({ 'a.cedar': text }, planted({ policyToJson: failure }))).toBe(all);
    expect(faultsIn({ 'a.cedar': text }, planted({ validate: () => ({ ...failure(), warnings: [] }) }))).toBe(
      all,
    );
    expect(faultsIn({}, planted({ checkParseSchema: failure }))).toBe(
      all.replaceAll('a.cedar', 'schema.cedarschema'),
    );
  });

  it('may name a policy that is none, or have a policy in other words than the file', () => {
    const validate: Cedar['validate'] = () => ({
      ...{ type: 'success', validationErrors: [{ policyId: 'policy7', error }] },
      ...{ validationWarnings: [], otherWarnings: [] },
    });
    expect(faultsIn({ 'a.cedar': permit }, planted({ validate }))).toBe('a.cedar:1:1: policy7: m');
    const policies = [permit, 'permit(principal,action,resource);', permit];
    const policySetTextToParts: Cedar['policySetTextToParts'] = () => ({
      ...{ type: 'success', policies, policy_templates: [] },
    });
    const text = `${permit}\npermit (principal,action,resource);\n${permit}`;
    const read = readOne(text, planted({ policySetTextToParts }));
    expect(read.map(({ line }) => line)).toEqual([1, 1, 3]);
  });

  it('is explained with its advice', () => {
    expect(explain(error)).toBe('m');
    expect(explain({ ...error, help: 'h' })).toBe('m (h)');
  });
});

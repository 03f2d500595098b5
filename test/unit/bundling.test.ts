// What goes beside a function's code, and how an asset is written: no bundle is made here.

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { cedarBeside, sourceName } from '../../lib/functions/bundling.ts';
import { assertWritten, hashOf, writeBundle } from '../../lib/functions/function-code.ts';
import { checkedPolicies, policySource } from '../../lib/policies.ts';
import { policiesOf } from '../support/policy-directory.ts';

const directory = mkdtempSync(join(tmpdir(), 'bundling-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const permit = (id: string) => `@id("${id}") permit (principal, action, resource);\n`;

describe('Cedar next to the code', () => {
  it('is its module and its WebAssembly, from which each engine is made', () => {
    expect([...cedarBeside().keys()]).toEqual(['cedar_wasm.js', 'cedar_wasm_bg.wasm']);
  });
});

const deployed = readdirSync(policySource).filter((name) => !name.endsWith('.test.yaml'));

describe('the policies that deploy', () => {
  it('are the schema, the policies and the quotas, without their tests', () => {
    expect([...checkedPolicies(policySource).files.keys()]).toEqual(deployed);
  });

  it('are the same where the directory, or a file in it, is a link', () => {
    const link = join(directory, 'link');
    symlinkSync(policySource, link);
    expect(checkedPolicies(link)).toEqual(checkedPolicies(policySource));
    const linked = join(directory, 'linked');
    mkdirSync(linked);
    for (const name of deployed) {
      symlinkSync(join(policySource, name), join(linked, name));
    }
    expect(checkedPolicies(linked)).toEqual(checkedPolicies(policySource));
  });

  it('are those that were checked, whatever becomes of the directory afterwards', () => {
    const source = policiesOf({ 'a.cedar': permit('checked') });
    const { files } = checkedPolicies(source);
    writeFileSync(join(source, 'a.cedar'), permit('another'));
    expect(files.get('a.cedar')?.toString()).toBe(permit('checked'));
  });

  it('are those of the directory that was named, whatever its name means to a shell', () => {
    const character = fc.constantFrom(...'ab $`"\'\\;&|<>()[]{}*?!#~%=\n\t-€'.split(''));
    const name = fc.string({ unit: character, minLength: 1, maxLength: 12 });
    let number = 0;
    fc.assert(
      fc.property(name, (text) => {
        const source = join(directory, String(number++), text);
        mkdirSync(source, { recursive: true });
        symlinkSync(join(policySource, 'schema.cedarschema'), join(source, 'schema.cedarschema'));
        writeFileSync(join(source, 'a.cedar'), permit(`policy-${number}`));
        return checkedPolicies(source).files.get('a.cedar')?.toString() === permit(`policy-${number}`);
      }),
      { numRuns: 40 },
    );
  });

  it.each<[string, (source: string) => void, RegExp]>([
    [
      'a link to nothing',
      (source) => symlinkSync('nowhere', join(source, 'x.cedar')),
      /x\.cedar cannot be read: ENOENT/,
    ],
    [
      'a directory',
      (source) => mkdirSync(join(source, 'x.cedar')),
      /x\.cedar cannot be read: it is not a file/,
    ],
    [
      'no schema',
      (source) => rmSync(join(source, 'schema.cedarschema')),
      /there is no schema\.cedarschema in it/,
    ],
    ['no directory', (source) => rmSync(source, { recursive: true }), /cannot be deployed:\nENOENT/],
  ])('are refused with what is wrong: %s', (_, spoil, message) => {
    const source = policiesOf({ 'a.cedar': permit('a') });
    spoil(source);
    expect(() => checkedPolicies(source)).toThrow(message);
  });
});

it.each([
  ['the project', 'lambda/gateway/handler.ts', 'lambda/gateway/handler.ts'],
  ['a package in it', 'node_modules/a/node_modules/b/c.js', 'node_modules/a/node_modules/b/c.js'],
  ['a package beside it', '../a/b.js', 'node_modules/a/b.js'],
  ['a package that is linked to', '../../../x/node_modules/a/b.js', 'node_modules/a/b.js'],
])('a file of %s has a name without its place', (_, path, name) => {
  expect(sourceName(path, '/app/node_modules/ecr-upload-proxy')).toBe(name);
});

describe('an asset', () => {
  const bundle = new Map([
    ['index.mjs', Buffer.from('export {};\n')],
    ['policies/a.cedar', Buffer.from(permit('a'))],
  ]);
  let number = 0;
  const written = (umask: number): string => {
    const target = join(directory, `asset-${number++}`);
    mkdirSync(target);
    const before = process.umask(umask);
    try {
      writeBundle(target, bundle);
    } finally {
      process.umask(before);
    }
    return target;
  };
  const modeOf = (path: string) => statSync(path).mode & 0o777;

  it.each([0o000, 0o022, 0o027, 0o077])('can be read by Lambda under the umask %o', (umask) => {
    const target = written(umask);
    expect(modeOf(join(target, 'index.mjs'))).toBe(0o644);
    expect(modeOf(join(target, 'policies'))).toBe(0o755);
    expect(modeOf(join(target, 'policies/a.cedar'))).toBe(0o644);
    expect(() => assertWritten(target, bundle)).not.toThrow();
  });

  it.each<[string, (target: string) => void, RegExp]>([
    [
      'another policy',
      (target) => writeFileSync(join(target, 'policies/a.cedar'), permit('b')),
      /policies\/a\.cedar has other bytes/,
    ],
    [
      'a policy more',
      (target) => writeFileSync(join(target, 'policies/b.cedar'), permit('b')),
      /policies\/b\.cedar does not belong there/,
    ],
    ['a file less', (target) => rmSync(join(target, 'index.mjs')), /index\.mjs is missing/],
    [
      'a file for its owner alone',
      (target) => chmodSync(join(target, 'index.mjs'), 0o600),
      /index\.mjs has the mode 600/,
    ],
  ])('that lies in the output with %s is not taken', (_, spoil, message) => {
    const target = written(0o022);
    spoil(target);
    expect(() => assertWritten(target, bundle)).toThrow(message);
  });

  it('has the hash of its names and bytes, in any order', () => {
    const contents = fc.dictionary(fc.constantFrom('a', 'b', 'ab', 'a/b'), fc.uint8Array({ maxLength: 4 }));
    const hash = (files: Record<string, Uint8Array>) => hashOf(new Map(Object.entries(files)));
    const text = (files: Record<string, Uint8Array>) =>
      JSON.stringify(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
    fc.assert(
      fc.property(contents, contents, (one, other) => {
        const reversed = Object.fromEntries(Object.entries(one).reverse());
        expect(hash(reversed)).toBe(hash(one));
        expect(hash(one) === hash(other)).toBe(text(one) === text(other));
      }),
    );
  });

  it('is another for every byte of a policy, line ends among them', () => {
    const lines = (end: string) => new Map([['a.cedar', Buffer.from(`a${end}b${end}`)]]);
    expect(hashOf(lines('\n'))).not.toBe(hashOf(lines('\r\n')));
  });
});

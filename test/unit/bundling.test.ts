// What goes beside a function's code.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { bundling } from '../../lib/bundling.ts';
import { policySource } from '../../lib/policies.ts';

const directory = mkdtempSync(join(tmpdir(), 'bundling-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** @returns the names of the policies that were copied */
const policiesBeside = (name: string, policyDirectory: string): string[] => {
  const output = join(directory, name);
  mkdirSync(output);
  for (const command of bundling(policyDirectory).commandHooks?.afterBundling('', output) ?? []) {
    execFileSync('bash', ['-c', command]);
  }
  return readdirSync(join(output, 'policies'));
};

describe('Cedar beside the code', () => {
  it('is its module and its WebAssembly, from which each engine is made', () => {
    policiesBeside('cedar', policySource);
    expect(readdirSync(join(directory, 'cedar')).sort()).toEqual([
      'cedar_wasm.js',
      'cedar_wasm_bg.wasm',
      'policies',
    ]);
  });
});

const deployed = readdirSync(policySource).filter((name) => !name.endsWith('.test.yaml'));

describe('the policies beside the code', () => {
  it('are the schema, the policies and the quotas, without their tests', () => {
    expect(policiesBeside('directory', policySource)).toEqual(deployed);
  });

  it('are the same where the directory is a link', () => {
    const link = join(directory, 'link');
    symlinkSync(policySource, link);
    expect(policiesBeside('linked', link)).toEqual(deployed);
  });
});

// What test/mutants says of the core is true of the files as they are.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { core } from '../mutants/core.ts';
import { filesOfCore, keptRows } from '../mutants/scores.ts';
import { equivalent } from '../mutants/survivors.ts';

const root = join(import.meta.dirname, '../..');
const absent = (paths: readonly string[]) => paths.filter((path) => !existsSync(join(root, path)));

describe('the core', () => {
  it('is of files that are there, each once, and of tests that are there', () => {
    expect(absent(filesOfCore)).toEqual([]);
    expect(new Set(filesOfCore).size).toBe(filesOfCore.length);
    expect(absent(core.flatMap(({ tests }) => tests.map((test) => `test/${test}.test.ts`)))).toEqual([]);
  });

  it('has every row of the scores', () => {
    expect([...keptRows().keys()].filter((file) => !filesOfCore.includes(file))).toEqual([]);
  });
});

describe('a mutant that no test can find', () => {
  const all = Object.entries(equivalent).flatMap(([file, reasons]) =>
    reasons.flatMap(({ why, mutants }) => mutants.map((mutant) => ({ file, why, mutant }))),
  );

  it.each(Object.keys(equivalent))('of %s is planted into lines that are there', (file) => {
    const lines = readFileSync(join(root, file), 'utf8')
      .split('\n')
      .map((line) => line.trim().replaceAll(/\s+/g, ' '));
    const gone = all
      .filter((one) => one.file === file)
      .map(({ mutant }) => mutant)
      .filter((mutant) => !lines.some((line) => mutant.startsWith(`${line} | `)));
    expect(gone).toEqual([]);
  });

  it('is of the core, named once, and explained in a sentence', () => {
    expect(all.filter(({ file }) => !filesOfCore.includes(file))).toEqual([]);
    expect(all.filter(({ why }) => !/^[A-Z].*\.$/.test(why))).toEqual([]);
    const named = all.map(({ file, mutant }) => `${file}: ${mutant}`);
    expect(named.filter((one, at) => named.indexOf(one) !== at)).toEqual([]);
  });
});

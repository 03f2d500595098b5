// Plants mutants into files of the core, and keeps in docs/reliability.md how many of each file its tests find.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Stryker } from '@stryker-mutator/core';
import { z } from 'zod';
import { core, type Group } from './core.ts';
import { type Score, writeScores } from './scores.ts';
import { reasonOf } from './survivors.ts';

type MutantResult = Awaited<ReturnType<Stryker['runMutationTest']>>[number];

const root = process.cwd();
const today = new Date().toISOString().slice(0, 10);

const oneLine = (text: string) => text.trim().replaceAll(/\s+/g, ' ');

/** The text between two places of a source, whose lines and columns Stryker counts from 1. */
function textAt(source: string, { start, end }: MutantResult['location']): string {
  const lines = source.split('\n').slice(start.line - 1, end.line);
  const last = lines.length - 1;
  return lines
    .map((line, at) => line.slice(at === 0 ? start.column - 1 : 0, at === last ? end.column - 1 : undefined))
    .join('\n');
}

/** As test/mutants/survivors.ts has it. */
function described({ location, replacement }: MutantResult, source: string): string {
  const line = source.split('\n')[location.start.line - 1] ?? '';
  const column = location.start.column - line.search(/\S/);
  return `${oneLine(line)} | ${column}: ${oneLine(textAt(source, location))} → ${oneLine(replacement)}`;
}

function scoreOf(file: string, { tests }: Group, mutants: readonly MutantResult[]): Score {
  const having = (...statuses: MutantResult['status'][]) =>
    mutants.filter(({ status }) => statuses.includes(status));
  const source = readFileSync(file, 'utf8');
  const alive = having('Survived', 'NoCoverage').map((mutant) => described(mutant, source));
  for (const mutant of alive) {
    console.log(`${reasonOf(file, mutant) === undefined ? 'SURVIVED' : 'EQUIVALENT'} ${file}: ${mutant}`);
  }
  return {
    ...{ file, tests, date: today },
    killed: having('Killed', 'Timeout').length,
    survived: alive.length,
    equivalent: alive.filter((mutant) => reasonOf(file, mutant) !== undefined).length,
  };
}

const kept = z.looseObject({
  files: z.record(z.string(), z.looseObject({ mutants: z.array(z.looseObject({ status: z.string() })) })),
});

/** Stryker reuses what survived, and does not see a new test of a mutant that is planted where a module is loaded. */
function forgetSurvivors(incrementalFile: string): void {
  if (!existsSync(incrementalFile)) {
    return;
  }
  const report = kept.parse(JSON.parse(readFileSync(incrementalFile, 'utf8')));
  for (const file of Object.values(report.files)) {
    file.mutants = file.mutants.filter(({ status }) => status === 'Killed' || status === 'Timeout');
  }
  writeFileSync(incrementalFile, JSON.stringify(report));
}

async function measure(group: Group, files: readonly string[]): Promise<void> {
  process.env.MUTANT_TESTS = group.tests.map((test) => `test/${test}.test.ts`).join();
  const incrementalFile = `.local/mutants/${group.files[0]?.replaceAll('/', '.')}.json`;
  forgetSurvivors(incrementalFile);
  const results = await new Stryker({
    mutate: [...files],
    incrementalFile,
    tempDirName: `.local/mutants/sandbox-${process.pid}`,
  }).runMutationTest();
  const byFile = Map.groupBy(results, ({ fileName }) => relative(root, fileName));
  writeScores(files.map((file) => scoreOf(file, group, byFile.get(file) ?? [])));
}

const asked = process.argv.slice(2);
const known = core.flatMap(({ files }) => files);
const unknown = asked.filter((file) => !known.includes(file));
if (unknown.length > 0) {
  throw new Error(`${unknown.join(', ')}: not of the core, which test/mutants/core.ts lists with its tests.`);
}
// A mutant costs the start of a worker, most of which is the loading of packages.
process.env.NODE_COMPILE_CACHE ??= join(root, '.local/mutants/compiled');
// Fewer runs of each property, and always the same ones, so that one file's score can be held against its last.
process.env.FUZZ_SCALE ??= '0.1';
process.env.SEED ??= '1';
mkdirSync('.local/mutants', { recursive: true });
for (const group of core) {
  const files = group.files.filter((file) => asked.length === 0 || asked.includes(file));
  if (files.length > 0) {
    await measure(group, files);
  }
}

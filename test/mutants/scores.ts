// The table of scores in docs/reliability.md: a row for each file of the core, replaced when the file is measured.

import { readSection, writeSection } from '../support/kept-section.ts';
import { core } from './core.ts';

/** What a file's mutants came to. */
export type Score = {
  readonly file: string;
  readonly tests: readonly string[];
  readonly killed: number;
  readonly survived: number;
  /** How many of the survivors are known to behave as the code does. */
  readonly equivalent: number;
  readonly date: string;
};

const section = { page: 'docs/reliability.md', name: 'mutants' };
const head = [
  '| file | tests | mutants | killed | survived | of which equivalent | measured on |',
  '|---|---|---|---|---|---|---|',
];

function rowOf({ file, tests, killed, survived, equivalent, date }: Score): string {
  const names = tests.map((test) => `\`${test}\``).join(', ');
  const mutants = killed + survived;
  const percent = Math.floor((100 * killed) / mutants);
  return `| \`${file}\` | ${names} | ${mutants} | ${killed} (${percent} %) | ${survived} | ${equivalent} | ${date} |`;
}

/** The files that have a row, each with it. */
export const keptRows = (): ReadonlyMap<string, string> =>
  new Map(
    readSection(section)
      .split('\n')
      .flatMap((row) => {
        const [, file] = /^\| `([^`]+)` \|/.exec(row) ?? [];
        return file === undefined ? [] : [[file, row] as const];
      }),
  );

export const filesOfCore = core.flatMap(({ files }) => files);

/** The files that have never been measured are named below the table. */
export function writeScores(scores: readonly Score[]): void {
  const rows = new Map([...keptRows(), ...scores.map((score) => [score.file, rowOf(score)] as const)]);
  const missing = filesOfCore.filter((file) => !rows.has(file)).map((file) => `\`${file}\``);
  const table = [...head, ...filesOfCore.flatMap((file) => rows.get(file) ?? [])].join('\n');
  writeSection(
    section,
    missing.length === 0 ? table : `${table}\n\nNot measured yet: ${missing.join(', ')}.`,
  );
}

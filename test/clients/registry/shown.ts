// What a tool shows its user when it is refused, measured, and held to the table of docs/registry-endpoint.md.

import { expect } from 'vitest';
import { type KeptSection, readSection, writeSection } from '../../support/kept-section.ts';
import { tokens } from '../../support/resource-api.ts';

type Refusal = {
  column: string;
  token: string;
  repositoryName: string;
  tag: string;
  words: RegExp;
};

/** Where tokens.a pushes all that is refused; `shownRepository` is there. */
export const shownRepository = 'team-a/shown';
export const refusals = {
  wrongToken: {
    column: 'wrong token (401)',
    token: 'eup_team-a-ci_wrong',
    repositoryName: shownRepository,
    tag: '1.0.0',
    words: /Send a token this proxy knows/,
  },
  denied: {
    column: 'the policy denies a repository (403)',
    token: tokens.a,
    repositoryName: 'team-b/app',
    tag: '1.0.0',
    words: /No policy lets this client/,
  },
  tag: {
    column: 'it denies a tag (403)',
    token: tokens.a,
    repositoryName: shownRepository,
    tag: 'latest',
    words: /the tag latest is not allowed/,
  },
  missing: {
    column: 'no such repository (404)',
    token: tokens.a,
    repositoryName: 'team-a/none',
    tag: '1.0.0',
    words: /There is no repository team-a\/none/,
  },
} as const satisfies Record<string, Refusal>;
export type RefusalName = keyof typeof refusals;
const refusalNames = Object.keys(refusals).filter((name): name is RefusalName => name in refusals);

/** Pushes, with a login by the token; it has to fail. A tool that cannot bring a refusal about leaves it out. */
export type PushRefused = (refusal: Refusal) => Promise<unknown>;

/** What is kept is which of the two a user sees: texts change with each version. */
export function shownIn(printed: string, { words }: Refusal): string {
  if (words.test(printed)) {
    return 'the words';
  }
  if (/\b40[134]\b|unauthorized|forbidden|not found/i.test(printed)) {
    return 'the status';
  }
  throw new Error(`neither the reason nor the status is shown: ${printed}`);
}

async function show(push: PushRefused, refusal: Refusal): Promise<string> {
  const printed = await push(refusal).then(
    () => {
      throw new Error(`${refusal.column}: the push was not refused`);
    },
    (error: Error) => error.message,
  );
  return shownIn(printed, refusal);
}

/** One suite's lines after the other's: with `WRITE=1` they are written by one worker. */
const section: KeptSection = { page: 'docs/registry-endpoint.md', name: 'what tools show' };
const lineOf = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const head = [
  lineOf(['', ...refusalNames.map((name) => refusals[name].column)]),
  lineOf(['---', ...refusalNames.map(() => '---')]),
];
const nameIn = (line: string): string => line.split(' | ')[0]?.slice(2) ?? '';

/**
 * Holds what `tool` shows to its line in the page; with `WRITE=1` it writes that line. Machines differ in the versions
 * that they have: of one that the page does not name, it says what was found.
 */
export async function expectShown(
  tool: string,
  push: PushRefused,
  leftOut: readonly RefusalName[] = [],
): Promise<void> {
  const cells: string[] = [];
  for (const name of refusalNames) {
    cells.push(leftOut.includes(name) ? '–' : await show(push, refusals[name]));
  }
  const line = lineOf([tool, ...cells]);
  const lines = readSection(section).split('\n').slice(head.length);
  if (process.env.WRITE) {
    const others = lines.filter((one) => one.startsWith('|') && nameIn(one) !== tool);
    writeSection(section, [...head, ...[...others, line].sort()].join('\n'));
    return;
  }
  const written = lines.find((one) => nameIn(one) === tool);
  if (written === undefined) {
    console.info(`${section.page} has no line for this version: ${line}`);
    return;
  }
  const how = 'WRITE=1 ALL_KINDS=1 npm run test:clients -- --maxWorkers=1 writes the table';
  expect(written, `${section.page}: ${how}`).toBe(line);
}

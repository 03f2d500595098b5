// Programs by hand, and the section of docs/reliability.md that they write: how many there were, and what happened in them.

import { expect } from 'vitest';
import { z } from 'zod';
import { writeSection } from '../support/kept-section.ts';
import { type Kind, type Program, type Replay, runPrograms } from './run.ts';

const replay = z.object({ seed: z.int(), path: z.string(), replayPath: z.string() });

const environment = z.object({
  PROGRAMS: z.coerce.number().int().positive().default(10_000),
  SEED: z.coerce.number().int().optional(),
  /** As a failure prints it. */
  REPLAY: z
    .string()
    .optional()
    .transform((text): Replay | undefined =>
      text === undefined ? undefined : replay.parse(JSON.parse(text)),
    ),
  /** Set: the section is written. */
  WRITE: z.string().optional(),
});

/** The section's lines: a row for each request, with its refusals by their names. */
function tableOf(tally: ReadonlyMap<string, number>): string[] {
  const rows = [...tally].map(([what, times]) => {
    const [request = '', answer = ''] = what.split(': ');
    return { request, answer, times };
  });
  const requests = [...new Set(rows.map(({ request }) => request))].sort();
  return requests.map((request) => {
    const own = rows.filter((row) => row.request === request);
    const done = own.find(({ answer }) => answer === 'done')?.times ?? 0;
    const others = own
      .filter(({ answer }) => answer !== 'done')
      .sort((one, other) => other.times - one.times)
      .map(({ answer, times }) => `${times.toLocaleString('en')} ${answer}`);
    return `| ${request} | ${done === 0 ? '' : done.toLocaleString('en')} | ${others.join(', ')} |`;
  });
}

export async function runByHand<Real extends Program>(name: string, kind: Kind<Real>): Promise<void> {
  const { PROGRAMS, SEED, REPLAY, WRITE } = environment.parse(process.env);
  const programs = REPLAY ? 1 : PROGRAMS;
  const seed = SEED ?? Math.trunc(Math.random() * 2 ** 31);
  const began = process.cpuUsage();
  console.log(`${name}: ${programs} programs from the seed ${seed}`);
  const tally = await runPrograms(kind, { programs, seed, replay: REPLAY });
  const { user, system } = process.cpuUsage(began);
  const seconds = Math.round((user + system) / 1_000_000);
  const section = [
    `${programs.toLocaleString('en')} programs from the seed ${seed}, ${seconds} s of CPU; none broke what has to hold.`,
    '',
    '| request | done | otherwise |',
    '|---|---|---|',
    ...tableOf(tally),
  ].join('\n');
  console.log(section);
  expect(tally.size).toBeGreaterThan(0);
  if (WRITE !== undefined && !REPLAY) {
    writeSection({ page: 'docs/reliability.md', name }, section);
  }
}

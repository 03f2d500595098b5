// Races by hand, and the section of docs/reliability.md that they write: INTERLEAVINGS, REPLAY, MERGED=no, WRITE=1.

import { afterAll, describe, expect, it } from 'vitest';
import { readSection, writeSection } from '../support/kept-section.ts';
import type { explorationOf } from './exploration.ts';

const { INTERLEAVINGS = '100000', MERGED = 'yes', REPLAY, WRITE } = process.env;

/** Whether all races are explored, and not one schedule run again. */
export const isWholeRun = REPLAY === undefined && MERGED !== 'no';

const page = 'docs/reliability.md';

export function keepTable(name: string, lines: readonly string[]): void {
  const table = lines.join('\n');
  console.log(table);
  if (WRITE !== undefined) {
    writeSection({ page, name }, table);
  }
}

const secondsOf = ({ user, system }: NodeJS.CpuUsage): string => ((user + system) / 1_000_000).toFixed(1);

const cellsOf = (row: string): string[] => row.split('|').map((cell) => cell.trim());

/** The rows that the page has, by their race: of a run with `-t` the others stay. */
const rowsOf = (name: string): Map<string, string> =>
  new Map(
    readSection({ page, name })
      .split('\n')
      .map((row) => [cellsOf(row)[1] ?? '', row]),
  );

const schedulesOf = (row: string): bigint => BigInt((cellsOf(row)[2] ?? '').replaceAll(',', ''));

type Exploration<Scenario extends { readonly name: string }> = ReturnType<
  typeof explorationOf<Scenario, object>
>;

/** @param name of the section */
export function exploreByHand<Scenario extends { readonly name: string }>(
  name: string,
  scenarios: readonly Scenario[],
  { exploreRace, replaySchedule, isOf }: Exploration<Scenario>,
): void {
  describe.skipIf(REPLAY !== undefined)('every interleaving', () => {
    const explored = new Map<string, string>();
    afterAll(() => {
      const kept = rowsOf(name);
      const rows = scenarios.flatMap((one) => explored.get(one.name) ?? kept.get(one.name) ?? []);
      const all = rows.reduce((sum, row) => sum + schedulesOf(row), 0n);
      keepTable(name, [
        '| race | schedules | runs | all of them | seconds of CPU |',
        '|---|---|---|---|---|',
        ...rows,
        `| together | ${all.toLocaleString('en')} | | | |`,
      ]);
    });

    it.each(scenarios)('keeps what was acknowledged: $name', async (scenario) => {
      const began = process.cpuUsage();
      const { orders, schedules, merged, isWhole, failures } = await exploreRace(scenario, {
        atMost: Number(INTERLEAVINGS),
        merges: MERGED !== 'no',
      });
      const counts = [orders, schedules + merged].map((count) => count.toLocaleString('en'));
      const seconds = secondsOf(process.cpuUsage(began));
      explored.set(
        scenario.name,
        `| ${[scenario.name, ...counts, isWhole ? 'yes' : 'no', seconds].join(' | ')} |`,
      );
      expect(failures).toEqual([]);
    });
  });

  it.runIf(REPLAY !== undefined && isOf(REPLAY))('one schedule', async () => {
    await replaySchedule(REPLAY ?? '');
  });
}

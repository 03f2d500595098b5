// Races by hand, and the section of docs/reliability.md that they write: INTERLEAVINGS, REPLAY, MERGED=no, WRITE=1.

import { afterAll, describe, expect, it } from 'vitest';
import { writeSection } from '../support/kept-section.ts';
import type { explorationOf } from './exploration.ts';

const { INTERLEAVINGS = '100000', MERGED = 'yes', REPLAY, WRITE } = process.env;

/** Whether all races are explored, and not one schedule run again. */
export const isWholeRun = REPLAY === undefined && MERGED !== 'no';

export function keepTable(name: string, lines: readonly string[]): void {
  const table = lines.join('\n');
  console.log(table);
  if (WRITE !== undefined) {
    writeSection({ page: 'docs/reliability.md', name }, table);
  }
}

const secondsOf = ({ user, system }: NodeJS.CpuUsage): string => ((user + system) / 1_000_000).toFixed(1);

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
    const rows: string[] = [];
    let all = 0n;
    afterAll(() => {
      keepTable(name, [
        '| race | schedules | runs | all of them | seconds of CPU |',
        '|---|---|---|---|---|',
        ...rows,
        `| together | ${all.toLocaleString('en')} | | | |`,
      ]);
    });

    it.each(scenarios)('keeps what was acknowledged: $name', async (scenario) => {
      const began = process.cpuUsage();
      const explored = await exploreRace(scenario, {
        atMost: Number(INTERLEAVINGS),
        merges: MERGED !== 'no',
      });
      const { orders, schedules, merged, isWhole, failures } = explored;
      const counts = [orders, schedules + merged].map((count) => count.toLocaleString('en'));
      const seconds = secondsOf(process.cpuUsage(began));
      rows.push(`| ${[scenario.name, ...counts, isWhole ? 'yes' : 'no', seconds].join(' | ')} |`);
      all += orders;
      expect(failures).toEqual([]);
    });
  });

  it.runIf(REPLAY !== undefined && isOf(REPLAY))('one schedule', async () => {
    await replaySchedule(REPLAY ?? '');
  });
}

// Explores the races by hand: INTERLEAVINGS=count of runs of each at most, REPLAY=number of one schedule, MERGED=no, WRITE=1.

import { afterAll, describe, expect, it } from 'vitest';
import { writeSection } from '../support/kept-section.ts';
import { exploreRace, replaySchedule } from './exploration.ts';
import { scenarios } from './scenarios.ts';
import { changes } from './staging-changes.ts';

const { INTERLEAVINGS = '100000', MERGED = 'yes', REPLAY, WRITE } = process.env;
const page = 'docs/reliability.md';

/** Of each race, to see what a change breaks: what it breaks, it breaks soon. */
const runsOfChange = 300;

function keep(name: string, lines: readonly string[]): void {
  const table = lines.join('\n');
  console.log(table);
  if (WRITE !== undefined) {
    writeSection({ page, name }, table);
  }
}

const secondsOf = ({ user, system }: NodeJS.CpuUsage): string => ((user + system) / 1_000_000).toFixed(1);

describe.skipIf(REPLAY !== undefined)('every interleaving', () => {
  const rows: string[] = [];
  let all = 0n;
  afterAll(() => {
    keep('interleavings', [
      '| race | schedules | runs | all of them | seconds of CPU |',
      '|---|---|---|---|---|',
      ...rows,
      `| together | ${all.toLocaleString('en')} | | | |`,
    ]);
  });

  it.each(scenarios)('keeps what was acknowledged: $name', async (scenario) => {
    const began = process.cpuUsage();
    const explored = await exploreRace(scenario, { atMost: Number(INTERLEAVINGS), merges: MERGED !== 'no' });
    const { orders, schedules, merged, isWhole, failures } = explored;
    const counts = [orders, schedules + merged].map((count) => count.toLocaleString('en'));
    const seconds = secondsOf(process.cpuUsage(began));
    rows.push(`| ${[scenario.name, ...counts, isWhole ? 'yes' : 'no', seconds].join(' | ')} |`);
    all += orders;
    expect(failures).toEqual([]);
  });
});

describe.skipIf(REPLAY !== undefined || MERGED === 'no')('what rests on a call to S3', () => {
  const rows: string[] = [];
  afterAll(() => {
    keep('calls to S3', ['| left out | what breaks | in the race, schedule |', '|---|---|---|', ...rows]);
  });

  it.each(Object.entries(changes))('%s', async (change, planted) => {
    for (const scenario of scenarios) {
      const { failures } = await exploreRace(scenario, { atMost: runsOfChange, planted });
      const [first] = failures;
      if (first) {
        const { message } = first.error instanceof Error ? first.error : new Error(String(first.error));
        rows.push(`| ${change} | ${message} | ${scenario.name}, ${first.schedule} |`);
        return;
      }
    }
    rows.push(`| ${change} | nothing | |`);
  });
});

it.runIf(REPLAY !== undefined)('one schedule', async () => {
  await replaySchedule(REPLAY ?? '');
});

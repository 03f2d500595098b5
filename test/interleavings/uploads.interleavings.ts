// Explores the races by hand: INTERLEAVINGS=count of schedules for each at most, REPLAY=number for one schedule.

import { afterAll, describe, expect, it } from 'vitest';
import { exploreRace, replaySchedule } from './exploration.ts';
import { scenarios } from './scenarios.ts';

const { INTERLEAVINGS = '20000', REPLAY } = process.env;

describe.skipIf(REPLAY !== undefined)('every interleaving', () => {
  const rows: string[] = [];
  afterAll(() => {
    console.log(['| race | schedules | whole | seconds |', '|---|---|---|---|', ...rows].join('\n'));
  });

  it.each(scenarios)('keeps what was acknowledged: $name', async (scenario) => {
    const startedAt = performance.now();
    const { schedules, isWhole, failures } = await exploreRace(scenario, { atMost: Number(INTERLEAVINGS) });
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    rows.push(`| ${scenario.name} | ${schedules} | ${isWhole ? 'yes' : 'no'} | ${seconds} |`);
    expect(failures).toEqual([]);
  });
});

it.runIf(REPLAY !== undefined)('one schedule', async () => {
  await replaySchedule(REPLAY ?? '');
});

// Explores the races at the functions by hand: INTERLEAVINGS=count of runs of each at most, REPLAY=number of one schedule, MERGED=no, WRITE=1.

import { afterAll, describe, it } from 'vitest';
import { exploreByHand, isWholeRun, keepTable } from './by-hand.ts';
import { scenarios } from './scenarios.ts';
import { changes } from './staging-changes.ts';
import { uploadExploration } from './upload-exploration.ts';

exploreByHand('interleavings', scenarios, uploadExploration);

/** Of each race, to see what a change breaks: what it breaks, it breaks soon. */
const runsOfChange = 300;

describe.skipIf(!isWholeRun)('what rests on a call to S3', () => {
  const rows: string[] = [];
  afterAll(() => {
    keepTable('calls to S3', [
      '| left out | what breaks | in the race, schedule |',
      '|---|---|---|',
      ...rows,
    ]);
  });

  it.each(Object.entries(changes))('%s', async (change, planted) => {
    for (const scenario of scenarios) {
      const { failures } = await uploadExploration.exploreRace(scenario, {
        atMost: runsOfChange,
        endsAtFailure: true,
        planted,
      });
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

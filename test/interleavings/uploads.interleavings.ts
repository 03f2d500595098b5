// Explores the races of scenarios.ts: INTERLEAVINGS=count for each at most, REPLAY=number for one schedule.

import { expect, it } from 'vitest';
import { explore, replay } from './explorer.ts';
import { scenarios } from './scenarios.ts';
import { race } from './upload-race.ts';

const atMost = Number(process.env.INTERLEAVINGS ?? 100_000);

it.each(scenarios)('$name', async (scenario) => {
  if (process.env.REPLAY) { return race(scenario, replay(BigInt(process.env.REPLAY))); }
  const t = performance.now();
  const failures: string[] = [];
  const explored = await explore((choose) => race(scenario, choose), {
    reduced: scenario.reduced,
    atMost,
    failed: (number, error) => {
      if (failures.length < 3) failures.push(`${number}: ${error instanceof Error ? error.stack?.slice(0, 600) : error}`);
    },
  });
  console.log(scenario.name, explored, Math.round(performance.now() - t), 'ms', failures.length);
  expect(failures).toEqual([]);
});

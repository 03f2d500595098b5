// 200 uploads at once through each front of the local stack: nothing fails, nothing is lost, memory stays flat.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSection } from '../support/kept-section.ts';
import { fronts, isFront } from './fronts.ts';
import { reportOf } from './report.ts';
import { type LoadResult, runLoad } from './run-load.ts';
import { type StackProcess, startStackProcess } from './stack-process.ts';

const { LOAD_SECONDS = '120', LOAD_CLIENTS = '200', WRITE } = process.env;

/** Of the front's process: what it may take at most, and how much more at the end than when it is warm. */
const maxPeakMiB = 2_560;
const maxGrowthMiB = 300;

let stack: StackProcess;
const results: LoadResult[] = [];
beforeAll(async () => {
  stack = await startStackProcess();
});
afterAll(async () => {
  await stack?.close();
  console.log(reportOf(results));
  if (WRITE) {
    writeSection({ page: 'docs/reliability.md', name: 'load' }, reportOf(results));
  }
});

describe.each(Object.keys(fronts).filter(isFront))('%s', (front) => {
  it('takes all uploads at once: no error, nothing lost, memory flat', async () => {
    const result = await runLoad(stack, {
      front,
      clients: Number(LOAD_CLIENTS),
      seconds: Number(LOAD_SECONDS),
    });
    results.push(result);
    const { acknowledged, lost, measurements, use } = result;
    expect(measurements.errors).toEqual({});
    expect(acknowledged.length).toBeGreaterThan(0);
    expect(lost).toEqual([]);
    expect(use.peakMiB).toBeLessThan(maxPeakMiB);
    expect(use.endMiB - use.warmMiB).toBeLessThan(maxGrowthMiB);
  });
});

// Programs by hand: PROGRAMS=count, SEED=number, REPLAY=what a failure prints.

import { it, vi } from 'vitest';
import { runFunctionPrograms } from './run.ts';

vi.mock('../../api/limits.ts', async (original) => ({
  ...(await original<typeof import('../../api/limits.ts')>()),
  partSize: 4,
  minEcrPartBytes: 5,
  maxEcrPartBytes: 10,
}));

const { PROGRAMS = '10000', SEED } = process.env;

it('programs against the functions', async () => {
  await runFunctionPrograms({ programs: Number(PROGRAMS), ...(SEED !== undefined && { seed: Number(SEED) }) });
});

// Programs against the functions by hand: PROGRAMS=count, SEED=number, REPLAY=what a failure prints, WRITE=1.

import { it, vi } from 'vitest';
import { runByHand } from './by-hand.ts';
import { functionPrograms } from './commands.ts';

vi.mock('../../api/limits.ts', async (original) => ({
  ...(await original<typeof import('../../api/limits.ts')>()),
  partSize: 4,
  minEcrPartBytes: 5,
  maxEcrPartBytes: 10,
}));

it('programs against the functions', async () => {
  await runByHand('programs of the functions', functionPrograms);
});

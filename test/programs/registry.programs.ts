// Programs against the registry endpoint by hand: PROGRAMS=count, SEED=number, REPLAY=what a failure prints, WRITE=1.

import { it, vi } from 'vitest';
import { runByHand } from './by-hand.ts';
import { sessionPrograms } from './commands.ts';

vi.mock('../../api/limits.ts', async (original) => ({
  ...(await original<typeof import('../../api/limits.ts')>()),
  partSize: 4,
  minEcrPartBytes: 5,
  maxEcrPartBytes: 10,
}));

// A pause before a request is sent again is no event of a program.
vi.mock('node:timers/promises', async (original) => {
  const { setTimeout: sleep, ...timers } = await original<typeof import('node:timers/promises')>();
  const paused = async (ms: number, ...rest: [unknown?, { signal?: AbortSignal }?]) =>
    ms === 0 ? rest[0] : sleep(ms, ...rest);
  return { ...timers, setTimeout: paused };
});

it('programs against the registry endpoint', async () => {
  await runByHand('programs of the registry endpoint', sessionPrograms);
});

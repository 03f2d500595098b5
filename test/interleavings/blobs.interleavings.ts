// Explores the races at the registry endpoint by hand, as uploads.interleavings.ts does those at the functions.

import { vi } from 'vitest';
import { blobExploration } from './blob-exploration.ts';
import { blobScenarios } from './blob-scenarios.ts';
import { exploreByHand } from './by-hand.ts';

vi.mock('../../api/limits.ts', async (original) => ({
  ...(await original<typeof import('../../api/limits.ts')>()),
  partSize: 4,
  minEcrPartBytes: 5,
  maxEcrPartBytes: 10,
}));

// A pause before a request is sent again is no event.
vi.mock('node:timers/promises', async (original) => {
  const { setTimeout: sleep, ...timers } = await original<typeof import('node:timers/promises')>();
  const paused = async (ms: number, ...rest: [unknown?, { signal?: AbortSignal }?]) =>
    ms === 0 ? rest[0] : sleep(ms, ...rest);
  return { ...timers, setTimeout: paused };
});

exploreByHand('interleavings at the registry endpoint', blobScenarios, blobExploration);

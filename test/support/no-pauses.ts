// A pause before a request is sent again is no event of a schedule: imported before what pauses.

import { vi } from 'vitest';

vi.mock('node:timers/promises', async (original) => {
  const { setTimeout: sleep, ...timers } = await original<typeof import('node:timers/promises')>();
  const paused = async (ms: number, ...rest: [unknown?, { signal?: AbortSignal }?]) =>
    ms === 0 ? rest[0] : sleep(ms, ...rest);
  return { ...timers, setTimeout: paused };
});

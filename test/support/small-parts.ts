// Parts of a few bytes, in the place of the limits: imported before what reads these.

import { vi } from 'vitest';

vi.mock('../../api/limits.ts', async (original) => ({
  ...(await original<typeof import('../../api/limits.ts')>()),
  partSize: 4,
  minEcrPartBytes: 5,
  maxEcrPartBytes: 10,
}));

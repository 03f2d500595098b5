// Load apart from all other tests: two minutes for each front, by hand.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/load/*.load.ts'],
    globalSetup: 'test/support/temporary-folder.ts',
    // The load lasts as long as LOAD_SECONDS says; what is under way then, and the check of all of it, comes after.
    testTimeout: 3_600_000,
    hookTimeout: 300_000,
  },
});

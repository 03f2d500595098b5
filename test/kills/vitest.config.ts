// Kills apart from all other tests: as many as one likes, by hand.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/kills/*.kills.ts'],
    globalSetup: 'test/support/temporary-folder.ts',
    // Each kill is followed by a start, which takes seconds.
    testTimeout: 24 * 3_600_000,
    hookTimeout: 600_000,
    // Each suite starts a stack of its own.
    fileParallelism: false,
  },
});

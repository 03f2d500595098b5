// The fuzzers apart from all other tests: they take minutes, and as many as one likes by hand.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/fuzz/*.fuzz.ts'],
    globalSetup: 'test/support/temporary-folder.ts',
    maxWorkers: 2,
    // A run by hand may take hours: FUZZ_SCALE=100 npm run test:fuzz.
    testTimeout: 600_000 * Math.max(1, Number(process.env.FUZZ_SCALE ?? 1)),
    hookTimeout: 300_000,
    reporters: process.env.CI
      ? ['default', ['json', { outputFile: '.local/fuzz-results.json' }]]
      : ['default'],
  },
});

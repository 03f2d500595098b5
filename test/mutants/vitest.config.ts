// The tests that the mutants of a group of files are held against: test/mutants/core.ts names them.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // One worker a mutant, so that packages are loaded once for all its tests.
    isolate: false,
    include: (process.env.MUTANT_TESTS ?? '').split(','),
    globalSetup: 'test/support/temporary-folder.ts',
    // What a mutant makes hang, it kills: each such test waits for so long.
    testTimeout: 20_000,
    hookTimeout: 120_000,
  },
});

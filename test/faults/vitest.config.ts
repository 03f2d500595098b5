// The fault matrix apart from all other tests: every operation, every fault, every front.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/faults/*.faults.ts'],
    setupFiles: 'test/faults/small-parts.ts',
    globalSetup: 'test/support/temporary-folder.ts',
    maxWorkers: 2,
    // All of them write to one page.
    fileParallelism: process.env.WRITE === undefined,
    execArgv: ['--single-threaded-gc', '--max-semi-space-size=64'],
    testTimeout: 3_600_000,
    hookTimeout: 180_000,
    silent: 'passed-only',
    reporters: process.env.CI
      ? ['default', ['json', { outputFile: '.local/fault-results.json' }]]
      : ['default'],
  },
});

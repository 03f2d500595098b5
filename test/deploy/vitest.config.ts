// The deployment's tests apart from all others: they need Python, and minutes.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/deploy/*.deploy.ts'],
    globalSetup: 'test/deploy/installed-python.ts',
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 600_000,
    reporters: process.env.CI
      ? ['default', ['json', { outputFile: '.local/deploy-results.json' }]]
      : ['default'],
  },
});

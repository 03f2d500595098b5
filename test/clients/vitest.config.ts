// The tests with the clients of others, AWS's and containers': npm run test:clients.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/clients/**/*.test.ts'],
    maxWorkers: 2,
    // AWS's clients sleep before they try again, the longest some 20 s; container tools are slow on a busy machine.
    testTimeout: 600_000,
    hookTimeout: 300_000,
    // Tells of a test that was skipped, and why. .ci/run counts by the file.
    reporters: process.env.CI
      ? ['verbose', ['json', { outputFile: '.local/client-results.json' }]]
      : ['verbose'],
  },
});

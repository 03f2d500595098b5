import { defineConfig } from 'vitest/config';

// The clients of others, against the whole proxy on this machine: `npm run test:clients`.
export default defineConfig({
  test: {
    include: ['test/clients/**/*.test.ts'],
    // Each pushes hundreds of megabytes: side by side they would only wait for each other.
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // .ci/run counts the tests by this file.
    reporters: process.env.CI
      ? ['default', ['json', { outputFile: '.local/client-test-results.json' }]]
      : ['default'],
  },
});

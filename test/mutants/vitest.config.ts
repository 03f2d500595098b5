// The tests that mutants of the core are held against: unit tests, which need neither a network nor a build.

import { defineConfig } from 'vitest/config';

const core = [
  ...['authenticate', 'bounded', 'counted-range', 'jwt', 'key-set', 'lasting-tokens', 'layer-parts'],
  ...['layer-reader', 'manifest', 'oidc-token', 'part-cutter', 'policy-decisions', 'policy-engine'],
  ...['quota-counts', 'quotas', 'seal', 'secret', 'serve', 'session-tokens', 'signing-key', 'signing-keys'],
  ...['validate', 'well-formed'],
].map((name) => `test/unit/${name}.test.ts`);

export default defineConfig({
  test: {
    // Each mutant costs a run of these: for one file, its own tests alone, as in MUTANT_TESTS=test/unit/seal.test.ts.
    include: process.env.MUTANT_TESTS?.split(',') ?? core,
    globalSetup: 'test/support/temporary-folder.ts',
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});

// Programs apart from all other tests: as many as one likes by hand.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/programs/*.programs.ts'],
    globalSetup: 'test/support/temporary-folder.ts',
    // PROGRAMS=1000000 npm run test:programs takes hours.
    testTimeout: 24 * 3_600_000,
  },
});

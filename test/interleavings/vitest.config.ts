// Every interleaving apart from all other tests: as many as one likes by hand.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/interleavings/*.interleavings.ts'],
    globalSetup: 'test/support/temporary-folder.ts',
    // INTERLEAVINGS=10000000 npm run test:interleavings takes hours.
    testTimeout: 24 * 3_600_000,
  },
});

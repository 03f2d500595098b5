import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { configDefaults, defineConfig } from 'vitest/config';

const skipped = './test/support/skipped-reporter.ts';

/** Their process has the CDK, its validation of templates and Cedar once: each takes seconds to start. */
const synthesizing = globSync('test/unit/*.test.ts', { cwd: import.meta.dirname }).filter((file) =>
  /from '(?:aws-cdk-lib|.*\/(?:support\/stacks|lib\/stack)\.ts)/.test(
    readFileSync(join(import.meta.dirname, file), 'utf8'),
  ),
);

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'synthesizing', include: synthesizing, isolate: false } },
      {
        extends: true,
        test: {
          name: 'isolated',
          include: ['test/**/*.test.ts'],
          // The clients of others have to be installed first: npm run test:clients.
          exclude: [...configDefaults.exclude, 'test/clients/**', ...synthesizing],
        },
      },
    ],
    globalSetup: 'test/support/temporary-folder.ts',
    // Both cores of the smallest machine; Vitest leaves one to others.
    maxWorkers: 2,
    // Layers of megabytes leave much garbage, and the collector's threads would only take each other's core.
    execArgv: ['--single-threaded-gc'],
    // Some start a dozen processes, also on a machine that has much else to do.
    testTimeout: 600_000,
    // The first that needs the bundles synthesizes them.
    hookTimeout: 600_000,
    // What is waited for comes at once, but for a machine that has much else to do.
    expect: { poll: { timeout: 60_000 } },
    // What a test prints, its seed among it, is shown when it fails.
    silent: 'passed-only',
    // .ci/run counts the tests by this file.
    reporters: process.env.CI
      ? ['default', skipped, ['json', { outputFile: '.local/test-results.json' }]]
      : ['default', skipped],
  },
});

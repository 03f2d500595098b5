// Says at the end of a run which tests were skipped, and why: the default reporter shows them in no run of many files.

import type { Reporter, TestModule } from 'vitest/node';

const reasonsOf = (module: TestModule): string[] =>
  [...module.children.allTests('skipped')].flatMap((test) => {
    const result = test.result();
    return result.state === 'skipped' && result.note ? [`skipped: ${test.fullName}: ${result.note}`] : [];
  });

export default class SkippedReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const line of modules.flatMap(reasonsOf)) {
      console.info(line);
    }
  }
}

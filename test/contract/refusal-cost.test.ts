// What a request without a valid token takes in the functions: no more than lib/monitoring/cost.ts reckons with.

import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { refusal } from '../support/cost-of-refusals.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { resourceApi } from '../support/resource-api.ts';

/** Beside the function's own: the access log's line, and Lambda's START, END and REPORT with its trace. */
const otherLogBytes = 1_000;
const requests = 200;

let proxy: InProcess;
beforeAll(async () => {
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'INFO');
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
  proxy = await startInProcess({ metrics: true });
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  vi.unstubAllEnvs();
  await proxy.close();
});

it('a refused request takes no more time and no more log than its price says', async () => {
  let logBytes = 0;
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    logBytes += Buffer.byteLength(text);
    return true;
  });
  const unknown = resourceApi(proxy.send, `eup_team-a-ci_${'x'.repeat(46)}`);
  const refuse = async (times: number) => {
    for (let count = 0; count < times; count++) {
      expect((await unknown.initiate()).status).toBe(401);
    }
  };
  await refuse(20);
  logBytes = 0;
  const before = process.cpuUsage();
  await refuse(requests);
  const { user, system } = process.cpuUsage(before);
  expect(logBytes / requests).toBeGreaterThan(300);
  expect(logBytes / requests + otherLogBytes).toBeLessThanOrEqual(refusal.logBytes);
  expect((user + system) / requests / 1e6).toBeLessThan(refusal.seconds);
});

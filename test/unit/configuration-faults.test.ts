// What only the operator can mend: one line of the log at level ERROR, and one count for the alarm.

import { Logger } from '@aws-lambda-powertools/logger';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { configurationFaults } from '../../lambda/telemetry/configuration-faults.ts';
import { openMeter } from '../../lambda/telemetry/meter.ts';

let lines: string[];
beforeEach(() => {
  vi.stubEnv('POWERTOOLS_SERVICE_NAME', 'test');
  vi.stubEnv('POWERTOOLS_METRICS_NAMESPACE', 'test');
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
  lines = [];
  for (const method of ['log', 'info', 'error'] as const) {
    vi.spyOn(console, method).mockImplementation((line) => {
      lines.push(String(line));
    });
  }
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

it.each(['secret', 'issuer'] as const)('a fault of the %s is logged and counted', (source) => {
  const report = configurationFaults(new Logger({ logLevel: 'INFO' }), openMeter());
  report(source, 'Something is odd.', new Error('clients.team-a-ci'));
  const found = lines.map((line): unknown => JSON.parse(line));
  expect(found).toContainEqual(
    expect.objectContaining({
      level: 'ERROR',
      message: 'Something is odd.',
      source,
      failure: expect.objectContaining({ message: 'clients.team-a-ci' }),
    }),
  );
  expect(found).toContainEqual(expect.objectContaining({ service: 'test', source, ConfigurationFaults: 1 }));
});

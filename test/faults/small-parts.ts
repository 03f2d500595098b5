// The limits of the fault matrix: parts of four bytes, as in test/interleavings, and waits that can be short.

import { vi } from 'vitest';

vi.mock('../../api/limits.ts', async (original) => {
  const limits = await original<typeof import('../../api/limits.ts')>();
  const { injectedTimes } = await import('./injected-times.ts');
  return {
    ...limits,
    partSize: 4,
    minEcrPartBytes: 5,
    maxEcrPartBytes: 10,
    get secretTimeoutMs() {
      return injectedTimes.secretTimeoutMs;
    },
    get keySetTimeoutMs() {
      return injectedTimes.keySetTimeoutMs;
    },
  };
});

/** Cells open some thousand instances, each of which would parse the same policies again. */
vi.mock('../../policy/policies.ts', async (original) => {
  const { loadPolicies, ...others } = await original<typeof import('../../policy/policies.ts')>();
  const loaded = new Map<string, ReturnType<typeof loadPolicies>>();
  const once: typeof loadPolicies = (directory) => {
    const policies = loaded.get(directory) ?? loadPolicies(directory);
    loaded.set(directory, policies);
    return policies;
  };
  return { ...others, loadPolicies: once };
});

/** Its SDK hooks into every promise of a process, and no trace is written here. */
vi.mock('../../lambda/telemetry/traces.ts', () => ({
  CodeTracer: class {
    isTracingEnabled = () => false;
  },
  traced: <Client>(client: Client) => client,
}));

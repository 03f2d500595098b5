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

/** Cells open some thousand instances and send more requests, with the same policies, and the same few questions to them. */
vi.mock('../../policy/policies.ts', async (original) => {
  const { loadPolicies, ...others } = await original<typeof import('../../policy/policies.ts')>();
  const loaded = new Map<string, ReturnType<typeof loadPolicies>>();
  const load: typeof loadPolicies = (directory) => {
    const policies = loadPolicies(directory);
    const decided = new Map<string, ReturnType<typeof policies.decide>>();
    const decide: typeof policies.decide = (request) => {
      const key = JSON.stringify(request);
      const decision = decided.get(key) ?? policies.decide(request);
      decided.set(key, decision);
      return decision;
    };
    return { ...policies, decide };
  };
  const once: typeof loadPolicies = (directory) => {
    const policies = loaded.get(directory) ?? load(directory);
    loaded.set(directory, policies);
    return policies;
  };
  return { ...others, loadPolicies: once };
});

/** Nobody reads its metrics here. */
vi.mock('../../lambda/telemetry/meter.ts', () => ({
  openMeter: () => ({
    begin: () => ({ count: () => {}, serves: () => {}, refused: () => {}, publish: () => {} }),
    fault: () => {},
    measure: (_upstream: unknown, call: () => unknown) => call(),
  }),
}));

/** Its SDK hooks into every promise of a process, and no trace is written here. */
vi.mock('../../lambda/telemetry/traces.ts', () => ({
  CodeTracer: class {
    isTracingEnabled = () => false;
  },
  traced: <Client>(client: Client) => client,
}));

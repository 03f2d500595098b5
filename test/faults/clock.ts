// The time of the services, which is right, and the proxy's clock, which may be wrong. Both stand still during a request.

import { vi } from 'vitest';

const noon = Date.parse('2026-06-15T12:00:00Z');

export function openClock() {
  let trueMs = noon;
  let wrongByMs = 0;
  const set = () => vi.setSystemTime(trueMs + wrongByMs);
  vi.useFakeTimers({ toFake: ['Date'], now: noon });
  return {
    /** As the services know it. */
    now: () => trueMs,
    advance: (ms: number) => {
      trueMs += ms;
      set();
    },
    /** The proxy's clock, from now on. */
    goWrong: (byMs: number) => {
      wrongByMs = byMs;
      set();
    },
    reset: () => {
      trueMs = noon;
      wrongByMs = 0;
      set();
    },
  };
}

export type Clock = ReturnType<typeof openClock>;

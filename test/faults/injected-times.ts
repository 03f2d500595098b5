// How long the proxy waits for the secret and for an issuer's keys: small-parts.ts puts them in the place of the limits.

/** Longer than deployed: a busy machine's own pauses are none of the faults. */
const usual = { secretTimeoutMs: 20_000, keySetTimeoutMs: 20_000 };

export const injectedTimes = { ...usual };

/** @param ms for both; as usual by default */
export function injectTimes(ms?: number): void {
  Object.assign(injectedTimes, ms === undefined ? usual : { secretTimeoutMs: ms, keySetTimeoutMs: ms });
}

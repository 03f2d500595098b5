// How long the proxy waits for the secret and for an issuer's keys: small-parts.ts puts them in the place of the limits.

const usual = { secretTimeoutMs: 3_000, keySetTimeoutMs: 3_000 };

export const injectedTimes = { ...usual };

/** @param ms for both; as usual by default */
export function injectTimes(ms?: number): void {
  Object.assign(injectedTimes, ms === undefined ? usual : { secretTimeoutMs: ms, keySetTimeoutMs: ms });
}

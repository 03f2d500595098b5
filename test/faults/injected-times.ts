// How long the proxy waits for an issuer's keys, which trials shorten: small-parts.ts puts it in the place of the limit.

export const injectedTimes = { keySetTimeoutMs: 3_000 };

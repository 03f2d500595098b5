// Whether a host is this machine alone.

/**
 * By its name, as it stands in a URL or is listened at. `*.localhost` and `0.0.0.0` are not: resolvers and systems
 * differ about them.
 */
export const isLoopback = (host: string): boolean =>
  /^(localhost|\[?::1\]?|127\.\d{1,3}\.\d{1,3}\.\d{1,3})$/i.test(host);

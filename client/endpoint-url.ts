// Where the proxy is, as a URL that a token may be sent to.

import { isLoopback } from './loopback.ts';

export type ProxyEndpoint = {
  /** Where the proxy is: http or https, a stage's path (`/prod`) included. */
  endpoint: string | URL;
  /**
   * Whether the token may go to another machine over plain http, where anybody on the way can read it. Default
   * `false`: https anywhere, and http on this machine.
   */
  allowCleartext?: boolean | undefined;
};

/**
 * The messages leave out the URL, which may hold a password.
 * @throws TypeError when it is no http(s) URL, carries a user, a query or a fragment, or would send the token in
 * clear text
 */
export function endpointUrlOf({ endpoint, allowCleartext = false }: ProxyEndpoint): URL {
  const url = URL.canParse(String(endpoint)) ? new URL(endpoint) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new TypeError('the endpoint must be an http or https URL');
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new TypeError('the endpoint must have no user, password, query or fragment');
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !allowCleartext) {
    throw new TypeError(
      `the endpoint is plain http at ${url.hostname}, so anybody on the way there could read the token: give its https URL, or allow clear text (--allow-cleartext; allowCleartext in a program)`,
    );
  }
  return url;
}

// Writes an operation's members as an HTTP request of the resource API, as the operation table says.

import { type Members, type OperationName, operations } from '../api/operations.ts';
import { writeQuery } from '../api/query.ts';
import type { Registry } from '../api/registries.ts';

/** A request without its token; `body` is JSON or the raw bytes of a part, and null for a GET. */
export type ApiRequest = {
  url: URL;
  method: 'GET' | 'POST' | 'PUT';
  headers: Record<string, string>;
  body: string | Uint8Array | null;
};

/**
 * The request for an operation. Members named in the row's path go there; a part goes as its raw bytes, with
 * `Content-Range` for its positions and the rest in the query; all of a GET goes in the query; everything else is
 * a JSON body.
 * @param endpoint where the proxy is, a stage's path included
 */
export function requestOf<Name extends OperationName>(
  endpoint: URL,
  registry: Registry,
  operation: Name,
  members: Members<Name>,
): ApiRequest {
  const { method, path } = operations[operation];
  const rest = new Map<string, unknown>(Object.entries(members).filter(([, value]) => value !== undefined));
  const filled = path.replace(/\{(\w+)\}/g, (_, member: string) => {
    const value = rest.get(member);
    rest.delete(member);
    return encodeURIComponent(String(value));
  });
  const url = new URL(endpoint);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${registry}${filled}`;
  if (method === 'GET') {
    setQuery(url, Object.fromEntries(rest));
    return { url, method, headers: {}, body: null };
  }
  return { url, method, ...contentOf(url, rest) };
}

function setQuery(url: URL, members: Readonly<Record<string, unknown>>): void {
  for (const [name, text] of writeQuery(members)) {
    url.searchParams.append(name, text);
  }
}

function contentOf(url: URL, rest: Map<string, unknown>): Pick<ApiRequest, 'headers' | 'body'> {
  const { layerPartBlob, partFirstByte, partLastByte, ...others } = Object.fromEntries(rest);
  if (!(layerPartBlob instanceof Uint8Array)) {
    return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(others) };
  }
  setQuery(url, others);
  return {
    headers: {
      'content-type': 'application/octet-stream',
      'content-range': `bytes ${String(partFirstByte)}-${String(partLastByte)}/*`,
    },
    body: layerPartBlob,
  };
}

// The resource API as a client sees it, in the words of HTTP alone: what the contract tests speak.

import { partSize } from '../../api/limits.ts';
import type { Registry } from '../../api/registries.ts';
import { conform } from './openapi.ts';

/** Sends one request to the proxy: over HTTP, or to the handlers in this process. */
export type Send = (path: string, init: RequestInit) => Promise<Response>;

export type Answer = { status: number; headers: Headers; body: Record<string, unknown> };

export const tokens = {
  a: 'eup_team-a-ci_local',
  b: 'eup_team-b-ci_local',
  /** Of a client that may push to team-a's repositories and read nothing. */
  pushOnly: 'eup_team-a-device_local',
} as const;

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const body: unknown = text === '' ? {} : JSON.parse(text);
  if (typeof body !== 'object' || body === null) {
    throw new Error(`not a JSON object: ${text}`);
  }
  return { status: response.status, headers: response.headers, body: { ...body } };
}

/**
 * The resource API with one client's token; every call answers, none throws on a status. A request or an answer that
 * openapi.json does not know fails the test.
 */
export function resourceApi(
  send: Send,
  token: string = tokens.a,
  repositoryName = 'team-a/app',
  registry: Registry = 'ecr',
) {
  const authorization = `Bearer ${token}`;
  const json = async (method: string, path: string, body: unknown) => {
    const headers = { authorization, 'content-type': 'application/json' };
    const text = JSON.stringify(body);
    const answer = await answerOf(await send(`/${registry}${path}`, { method, headers, body: text }));
    conform({ method, path: `/${registry}${path}`, json: JSON.parse(text) }, answer);
    return answer;
  };

  const initiate = (members: object = {}) => json('POST', '/layer-uploads', { repositoryName, ...members });

  const get = async (path: string, query: object) => {
    const search = new URLSearchParams(
      Object.entries(query).flatMap(([name, value]) =>
        [value].flat().map((one): [string, string] => [name, String(one)]),
      ),
    );
    const address = `/${registry}${path}?${search}`;
    const answer = await answerOf(await send(address, { method: 'GET', headers: { authorization } }));
    conform({ method: 'GET', path: address }, answer);
    return answer;
  };

  const uploadPart = async (
    uploadId: string,
    first: number,
    bytes: Uint8Array,
    last = first + bytes.length - 1,
  ) => {
    const path = `/${registry}/layer-uploads/${uploadId}/parts?repositoryName=${encodeURIComponent(repositoryName)}`;
    const headers = {
      authorization,
      'content-type': 'application/octet-stream',
      'content-range': `bytes ${first}-${last}/*`,
    };
    const answer = await answerOf(await send(path, { method: 'PUT', headers, body: new Uint8Array(bytes) }));
    conform({ method: 'PUT', path }, answer);
    return answer;
  };

  const complete = (uploadId: string, ...layerDigests: string[]) =>
    json('POST', `/layer-uploads/${uploadId}/completion`, { repositoryName, layerDigests });

  return {
    json,
    /** @param query of a member of a member by both names with a dot, of a list by all its values */
    get,
    initiate,
    uploadPart,
    complete,
    available: (...layerDigests: string[]) =>
      json('POST', '/layer-availability', { repositoryName, layerDigests }),
    putImage: (members: object) => json('PUT', '/images', { repositoryName, ...members }),
    /** A fresh upload's id. */
    begin: async (): Promise<string> => String((await initiate()).body.uploadId),
    /** The layer's `part`-th part, counted from 0. */
    uploadNth: (uploadId: string, layer: Uint8Array, part: number) =>
      uploadPart(uploadId, part * partSize, layer.subarray(part * partSize, (part + 1) * partSize)),
  };
}

export type ResourceApi = ReturnType<typeof resourceApi>;

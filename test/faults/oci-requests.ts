// Requests of a container tool, sent to a front of the OCI distribution API, and how its answers are read.

import { z } from 'zod';
import type { Reply } from './front.ts';

export type OciRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
};

const refusal = z.union([
  z.object({ errors: z.tuple([z.object({ code: z.string() })]) }).transform(({ errors }) => errors[0].code),
  z.object({ code: z.string() }).transform(({ code }) => code),
]);

function bodyOf(text: string): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? { ...body } : { text };
  } catch {
    return { text };
  }
}

/** What a client sees whose connection breaks before it has an answer. */
export const cut: Reply = { status: 0, code: undefined, headers: new Headers(), body: {} };

export async function sendOci(url: string, token: string, request: OciRequest): Promise<Reply> {
  const { method, path, headers = {}, body } = request;
  const init = {
    method,
    headers: { ...headers, authorization: `Bearer ${token}` },
    redirect: 'manual',
  } as const;
  try {
    const response = await fetch(`${url}${path}`, { ...init, ...(body && { body: new Uint8Array(body) }) });
    const read = bodyOf(await response.text());
    const code = response.status >= 400 ? refusal.safeParse(read).data : undefined;
    return { status: response.status, code, headers: response.headers, body: read };
  } catch {
    return cut;
  }
}

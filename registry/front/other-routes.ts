// Routes outside `/v2/`, which authenticate on their own and answer in a form of their own.

import type { IncomingHttpHeaders } from 'node:http';
import type { Caller } from '../port.ts';
import type { Answer } from './exchange.ts';

/** A body is not read. */
export type OtherRequest = Pick<Caller, 'requestId' | 'sourceIp' | 'abortSignal'> & {
  readonly headers: IncomingHttpHeaders;
};

/** The answer, and for a refusal or a fault its reason. */
export type Outcome = { answer: Answer; code?: string; fault?: unknown };

export type OtherRoute = {
  readonly path: string;
  readonly methods: Readonly<Record<string, (request: OtherRequest) => Promise<Outcome>>>;
};

async function healthy(): Promise<Outcome> {
  return { answer: { status: 200, body: {} } };
}

/** For a load balancer; no token is needed. */
export const healthRoute = (path: string): OtherRoute => ({ path, methods: { GET: healthy, HEAD: healthy } });

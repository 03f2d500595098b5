// Routes outside `/v2/`, which judge by themselves who calls, and answer in a form of their own.

import type { IncomingHttpHeaders } from 'node:http';
import type { Caller } from '../port.ts';
import type { Answer } from './exchange.ts';

/** A body has nothing to say, and is not read. */
export type RequestBeside = Pick<Caller, 'requestId' | 'sourceIp' | 'abortSignal'> & {
  readonly headers: IncomingHttpHeaders;
};

/** What is answered; and why, where that is a refusal or a fault. */
export type Outcome = { answer: Answer; code?: string; fault?: unknown };

export type RouteBeside = {
  readonly path: string;
  readonly methods: Readonly<Record<string, (request: RequestBeside) => Promise<Outcome>>>;
};

async function well(): Promise<Outcome> {
  return { answer: { status: 200, body: {} } };
}

/** For a load balancer, whoever asks. */
export const healthRoute = (path: string): RouteBeside => ({ path, methods: { GET: well, HEAD: well } });

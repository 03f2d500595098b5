// The SDK's calls that meet no fault, answered in this process: most of what a cell costs is connections that work.

import type { Readable } from 'node:stream';
import type { SdkClient } from '../../lambda/telemetry/traces.ts';
import type { Asked } from './answers.ts';

/** An answer as the SDK's own handler of requests gives it. */
export type Taken = {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
};

/** What the SDK's request says; a body that is no stream. */
type Sent = {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
};
type Handle = (
  sent: Sent,
  options?: { abortSignal?: { readonly aborted: boolean } },
) => Promise<{ response: unknown }>;
type Handled = { readonly config: { readonly requestHandler: { handle: Handle } } };

const isHandled = <Client extends SdkClient>(client: Client): client is Client & Handled =>
  'config' in client &&
  typeof client.config === 'object' &&
  client.config !== null &&
  'requestHandler' in client.config;

const askedOf = ({ method, path, headers }: Sent): Asked => ({
  method,
  url: path,
  headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
});

/** @param answer of a call that meets no fault; undefined sends it, as every call is sent elsewhere */
export const withoutWire =
  (answer: (asked: Asked, body: Buffer) => Taken | undefined) =>
  <Client extends SdkClient>(client: Client): Client => {
    if (!isHandled(client)) {
      throw new Error('the SDK has its handler of requests elsewhere');
    }
    const { requestHandler } = client.config;
    const send = requestHandler.handle.bind(requestHandler);
    requestHandler.handle = async (sent, options) => {
      const isGivenUp = options?.abortSignal?.aborted === true;
      const response = isGivenUp ? undefined : answer(askedOf(sent), Buffer.from(sent.body ?? ''));
      return response ? { response } : send(sent, options);
    };
    return client;
  };

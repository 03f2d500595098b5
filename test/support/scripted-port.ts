// A registry's port that does what a test says, and the OCI front before it: for what HTTP has to do with it.

import { onTestFinished } from 'vitest';
import type { Served } from '../../registry/front/serve.ts';
import {
  type RegistryServer,
  type RegistryServerOptions,
  startRegistryServer,
} from '../../registry/front/server.ts';
import type { Caller, RegistryPort } from '../../registry/port.ts';

async function unscripted(): Promise<never> {
  throw new Error('the test does not say what this does');
}

/** Every caller is one client, and nothing is asked for. */
export const unscriptedPort: RegistryPort = {
  client: 'a',
  minChunkBytes: 1,
  begin: unscripted,
  append: unscripted,
  finish: unscripted,
  status: unscripted,
  cancel: unscripted,
  hasBlob: unscripted,
  getBlob: unscripted,
  putManifest: unscripted,
  getManifest: unscripted,
  listTags: unscripted,
  listReferrers: unscripted,
};

export type Script = Partial<RegistryPort> | ((caller: Caller) => Partial<RegistryPort>);

export type Front = RegistryServer & { port: number; served: Served[] };

/** Every caller is one client, as long as the script does not name others. */
export async function startFront(
  script: Script,
  { bounds, ...options }: Partial<RegistryServerOptions> = {},
): Promise<Front> {
  const served: Served[] = [];
  const server = await startRegistryServer({
    address: { host: '127.0.0.1', port: 0 },
    registry: 'ecr',
    open: async (caller) => ({
      ...unscriptedPort,
      ...(typeof script === 'function' ? script(caller) : script),
    }),
    onServed: (one) => served.push(one),
    bounds: { betweenUploadsMs: 0, ...bounds },
    ...options,
  });
  onTestFinished(() => server.close());
  return { ...server, port: Number(new URL(server.url).port), served };
}

/** Reads a body to its end. @returns its length */
export async function lengthOf(chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
  }
  return length;
}

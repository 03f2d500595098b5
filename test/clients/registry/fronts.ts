// What a container tool pushes to: the bridge on its own machine, and the registry endpoint, where it has logged in.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type RegistryProxy, startBridge } from '../../support/bridge.ts';
import { forgetPeak, memoryOf } from '../../support/process-memory.ts';

export type Front = {
  /** host:port, as it stands in an image's name. */
  host: string;
  url: string;
  /** Makes the home of a tool, with the login that it needs. */
  makeHome(home: string): Promise<void>;
  /** By how much its peak is above what it had before. @returns undefined where the system does not tell */
  grewBytes(): Promise<number | undefined>;
  stop(): Promise<void>;
};

type StartFront = (proxy: RegistryProxy, token: string) => Promise<Front>;

/** Every tool of the table reads Docker's configuration. */
export async function writeLogins(home: string, auths: Readonly<Record<string, { auth: string }>>) {
  await mkdir(join(home, '.docker'), { recursive: true });
  await writeFile(join(home, '.docker/config.json'), JSON.stringify({ auths }));
}

async function growthOf(processId: number | undefined): Promise<Front['grewBytes']> {
  await forgetPeak(processId);
  const idleBytes = await memoryOf(processId, 'VmRSS');
  return async () => {
    const peakBytes = await memoryOf(processId, 'VmHWM');
    return idleBytes === undefined || peakBytes === undefined ? undefined : peakBytes - idleBytes;
  };
}

/** It lends its token. */
const bridge: StartFront = async (proxy, token) => {
  const { host, url, process, stop } = await startBridge(proxy.proxyUrl, { token, flags: ['--quiet'] });
  return {
    host,
    url,
    makeHome: (home) => writeLogins(home, {}),
    grewBytes: await growthOf(process.pid),
    stop: () => stop(),
  };
};

/** One process serves all, as long as the proxy lives. */
const endpoint: StartFront = async (proxy, token) => {
  const { url, processId } = proxy.registry();
  const { host } = new URL(url);
  const auth = Buffer.from(`any:${token}`).toString('base64');
  // Idle is a server that has loaded what decides about requests, and the source map for a failure in its log: that
  // of the first is written by the time the second is answered.
  for (const digest of ['0', '1'].map((digit) => `sha256:${digit.repeat(64)}`)) {
    await fetch(`${url}/v2/team-a/none/blobs/${digest}`, {
      method: 'HEAD',
      headers: { authorization: `Basic ${auth}` },
    });
  }
  return {
    host,
    url,
    makeHome: (home) => writeLogins(home, { [host]: { auth } }),
    grewBytes: await growthOf(processId),
    stop: async () => {},
  };
};

export const fronts = { bridge, endpoint } as const satisfies Record<string, StartFront>;
export type FrontName = keyof typeof fronts;
export const frontNames: readonly FrontName[] = ['bridge', 'endpoint'];

/** By hand, with `ALL_KINDS=1`: every tool pushes all that it can at both fronts. Otherwise a sample of it. */
export const pushesAllKinds = Boolean(process.env.ALL_KINDS);

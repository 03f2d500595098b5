// What breaks while a layer is under way: in the end the image is whole, or the client was told what to do.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bridge, type RegistryProxy, startBridge, startProxy } from '../../support/bridge.ts';
import { startDroppingProxy } from '../../support/dropping-proxy.ts';
import { buildLayouts, type Layouts } from '../../support/oci-layout.ts';
import { pull } from '../../support/pulled.ts';
import { lacks, runTool } from './tools.ts';

const layerBytes = 96 * 1_048_576;
const repositories = ['gateway', 'ecr', 'bridge', 'network', 'client'].map((name) => `team-a/${name}`);

let directory: string;
let layouts: Layouts;
let proxy: RegistryProxy;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'faults-'));
  layouts = await buildLayouts(join(directory, 'layouts'), layerBytes);
  proxy = await startProxy(join(directory, 'data'), repositories);
});
afterAll(async () => {
  await proxy?.close();
  await rm(directory, { recursive: true, force: true });
});

const push = (bridge: Pick<Bridge, 'host'>, repositoryName: string) =>
  runTool('crane', ['push', '--insecure', layouts.directories.single, `${bridge.host}/${repositoryName}:x`], {
    home: directory,
  });
const expectWhole = async (repositoryName: string) =>
  expect((await pull(proxy.ecrUrl, repositoryName, 'x')).digest).toBe(layouts.digests.single);

/** Long enough for a layer to be under way, and for it not to have arrived. */
const untilMidLayer = () => sleep(1_200);

describe.skipIf(lacks('crane'))('a push goes on', () => {
  it.each([
    ['the gateway and its functions', 'team-a/gateway', () => proxy.restartGateway(1_000)],
    ['ECR', 'team-a/ecr', () => proxy.restartEcr(1_000)],
  ])('after %s went away in the middle of a layer and came back', async (_, repositoryName, restart) => {
    const bridge = await startBridge(proxy.proxyUrl, { flags: ['--quiet'] });
    try {
      const pushed = push(bridge, repositoryName);
      await untilMidLayer();
      await restart();
      await pushed;
      await expectWhole(repositoryName);
    } finally {
      await bridge.stop();
    }
  });

  it('over a network that drops one connection in twenty, and more', async () => {
    // Connections are kept alive: each may live for 20 MiB, and then it breaks off, in the middle of a part.
    const network = await startDroppingProxy(proxy.proxyUrl, (connection) =>
      connection % 20 === 0 ? 1 : 20_000_000,
    );
    const bridge = await startBridge(network.url, { flags: ['--quiet'] });
    try {
      await push(bridge, 'team-a/network');
      expect(network.dropped()).toBeGreaterThan(3);
      await expectWhole('team-a/network');
    } finally {
      await bridge.stop();
      await network.close();
    }
  });

  it('over a network that drops one in twenty of the connections to the bridge itself', async () => {
    // The client knows the bridge by the network's port.
    const flags = ['--quiet', '--host-name', '127.0.0.1'];
    const bridge = await startBridge(proxy.proxyUrl, { flags });
    const network = await startDroppingProxy(bridge.url, (connection) =>
      connection === 2 ? 40_000_000 : undefined,
    );
    try {
      await push({ host: new URL(network.url).host }, 'team-a/client').catch(() =>
        push({ host: new URL(network.url).host }, 'team-a/client'),
      );
      await expectWhole('team-a/client');
    } finally {
      await network.close();
      await bridge.stop();
    }
  });
});

it.skipIf(lacks('crane'))(
  'a bridge that is killed in the middle of a layer and started again is pushed to again',
  async () => {
    const bridge = await startBridge(proxy.proxyUrl, { flags: ['--quiet'] });
    const { port } = new URL(bridge.url);
    const pushed = push(bridge, 'team-a/bridge').then(
      () => 'whole',
      (failure: Error) => failure.message,
    );
    await untilMidLayer();
    await bridge.stop('SIGKILL');
    const again = await startBridge(proxy.proxyUrl, { port: Number(port), flags: ['--quiet'] });
    try {
      const outcome = await pushed;
      if (outcome !== 'whole') {
        expect(outcome).toMatch(/begin it anew|connection (refused|reset)|EOF|broken pipe/);
        await push(again, 'team-a/bridge');
      }
      await expectWhole('team-a/bridge');
    } finally {
      await again.stop();
    }
  },
);

// Images are signed twice, by two keys, with every server restarted in between: what is there already stays.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Bridge, type RegistryProxy, startBridge, startProxy } from '../../support/bridge.ts';
import { buildLayouts, type Layouts } from '../../support/oci-layout.ts';
import { tokens } from '../../support/resource-api.ts';
import { type FrontName, frontNames, fronts } from './fronts.ts';
import { expectShown, shownRepository } from './shown.ts';
import { keys, type Signer, signers } from './signers.ts';
import { lacks, runTool } from './tools.ts';

const places = signers.flatMap(({ name }) => frontNames.map((front) => ({ name, front })));
const repositoryOf = (name: string, front: FrontName): string => `team-a/${name.replace(' ', '-')}/${front}`;

let directory: string;
let layouts: Layouts;
let proxy: RegistryProxy;
let bridge: Bridge;
let hosts: Record<FrontName, string>;

const startTheBridge = (port = 0) =>
  startBridge(proxy.proxyUrl, { token: tokens.a, flags: ['--quiet'], port });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signed-'));
  layouts = await buildLayouts(join(directory, 'layouts'), 1_000);
  const repositories = places.map(({ name, front }) => repositoryOf(name, front));
  proxy = await startProxy(join(directory, 'data'), [...repositories, shownRepository], {
    withRegistry: true,
  });
  bridge = await startTheBridge();
  const endpoint = await fronts.endpoint(proxy, tokens.a);
  await endpoint.makeHome(directory);
  hosts = { bridge: bridge.host, endpoint: endpoint.host };
});
afterAll(async () => {
  await bridge?.stop();
  await proxy?.close();
  await rm(directory, { recursive: true, force: true });
});

async function restartServers() {
  const port = Number(new URL(bridge.url).port);
  await bridge.stop();
  await proxy.restartGateway(0);
  bridge = await startTheBridge(port);
  expect(new URL(proxy.registry().url).host).toBe(hosts.endpoint);
}

const tagList = z.object({ tags: z.array(z.string()) });

/** What each tag names. */
async function tagsOf(repositoryName: string): Promise<Record<string, string | null>> {
  const base = `${proxy.ecrUrl}/v2/${repositoryName}`;
  const { tags } = tagList.parse(await (await fetch(`${base}/tags/list`)).json());
  const entries = await Promise.all(
    tags.map(async (tag) => [
      tag,
      (await fetch(`${base}/manifests/${tag}`)).headers.get('docker-content-digest'),
    ]),
  );
  return Object.fromEntries(entries);
}

/** With a login of its own at the endpoint; the bridge lends its token. */
async function startSigner({ name, start, found }: (typeof signers)[number], token: string): Promise<Signer> {
  if ('reason' in found) {
    throw new Error(found.reason);
  }
  const home = await mkdtemp(join(directory, `${name.replace(' ', '-')}-`));
  await (await fronts.endpoint(proxy, token)).makeHome(home);
  return start(found.path, home, token);
}

describe.each(signers)('$name', (tool) => {
  const reason = 'reason' in tool.found ? tool.found.reason : lacks('crane') ? 'crane is not installed' : '';
  if (reason !== '') {
    it('is tested', ({ skip }) => skip(reason));
    return;
  }
  const imageAt = (front: FrontName) =>
    `${hosts[front]}/${repositoryOf(tool.name, front)}@${layouts.digests.single}`;

  it('keeps what is there when it signs by another key, after all servers were restarted', async () => {
    const signer = await startSigner(tool, tokens.a);
    for (const front of frontNames) {
      const name = `${hosts.endpoint}/${repositoryOf(tool.name, front)}:1.0`;
      await runTool('crane', ['push', '--insecure', layouts.directories.single, name], { home: directory });
    }
    for (const [at, key] of keys.entries()) {
      if (at > 0) {
        await restartServers();
      }
      for (const front of frontNames) {
        await signer.sign(imageAt(front), key);
      }
    }
    const stranger = await startSigner(tool, tokens.a);
    for (const front of frontNames) {
      for (const key of keys) {
        await signer.verify(imageAt(front), key);
      }
      await expect(stranger.verify(imageAt(front), 'one')).rejects.toThrow();
    }
  });

  it('changes nothing with a token that may push and not read', async () => {
    const repositoryName = repositoryOf(tool.name, 'endpoint');
    const before = await tagsOf(repositoryName);
    const signer = await startSigner(tool, tokens.pushOnly);
    await expect(signer.sign(imageAt('endpoint'), 'one')).rejects.toThrow(/No policy lets|not found/);
    expect(await tagsOf(repositoryName)).toEqual(before);
  });

  it('shows why it is refused, as the page says', async () => {
    await expectShown(
      tool.name,
      async ({ token, repositoryName }) => {
        const signer = await startSigner(tool, token);
        await signer.sign(`${hosts.endpoint}/${repositoryName}@${layouts.digests.single}`, 'one');
      },
      ['tag'],
    );
  });
});

// Container tools as they come push through the bridge and to the registry endpoint; what they pushed is read back.

import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RegistryProxy, startProxy } from '../../support/bridge.ts';
import { buildLayouts, type Layouts } from '../../support/oci-layout.ts';
import { pull } from '../../support/pulled.ts';
import { tokens } from '../../support/resource-api.ts';
import { type Front, type FrontName, frontNames, fronts, pushesAllKinds } from './fronts.ts';
import { type Kind, kinds, tools } from './tool-table.ts';
import { lacks, runCommands } from './tools.ts';

const MiB = 1_048_576;
/** Above what it has when idle, however long a layer is. */
const maxGrowthBytes = 100 * MiB;

type Pushed = { kinds: readonly Kind[]; layerBytes: number };
/** A bridge that kept the layer would be over that bound. */
const everything: Pushed = { kinds, layerBytes: (pushesAllKinds ? 256 : 160) * MiB };
/** A layer of more than one part. */
const sample: Pushed = { kinds: ['single'], layerBytes: 24 * MiB };
const pushedAt: Record<FrontName, Pushed> = {
  bridge: everything,
  endpoint: pushesAllKinds ? everything : sample,
};

let directory: string;
let layouts: Record<FrontName, Layouts>;
let proxy: RegistryProxy;

beforeAll(async () => {
  // In lower case alone, for podman names images by their directory; and short, for its storage.
  directory = join(tmpdir(), `tools-${process.pid}`);
  const build = (name: FrontName) =>
    buildLayouts(join(directory, `layouts-${name}`), pushedAt[name].layerBytes);
  layouts = { bridge: await build('bridge'), endpoint: await build('endpoint') };
  const repositories = frontNames.flatMap((front) =>
    Object.keys(tools).map((tool) => `team-a/${front}/${tool}`),
  );
  proxy = await startProxy(join(directory, 'data'), repositories, { withRegistry: true });
});
afterAll(async () => {
  await proxy?.close();
  await rm(directory, { recursive: true, force: true });
});

const rows = frontNames.flatMap((frontName) =>
  Object.entries(tools).map(([tool, commands]) => ({ frontName, tool, commands })),
);

describe.each(rows)('$tool at the $frontName', ({ frontName, tool, commands }) => {
  const { push, pull: pullCommands, rewrites } = commands;
  const pushedKinds = pushedAt[frontName].kinds;
  const repositoryName = `team-a/${frontName}/${tool}`;
  let front: Front;
  beforeAll(async () => {
    front = await fronts[frontName](proxy, tokens.a);
  });
  afterAll(async () => front?.stop());

  /** With a storage of its own: what a tool has pushed, it does not pull. */
  async function inHome(purpose: string) {
    const home = join(directory, frontName, `${tool}-${purpose}`);
    await front.makeHome(home);
    return { home, host: front.host, storage: join(home, 's'), to: join(home, 'to') };
  }

  for (const kind of pushedKinds) {
    it.skipIf(lacks(tool))(`pushes ${kind}, whole`, async ({ skip }) => {
      const commandsFor = push[kind] ?? skip(`${tool} pushes none`);
      const { directories, digests, diffIds } = layouts[frontName];
      const place = await inHome('push');
      const name = `${front.host}/${repositoryName}:${kind}`;
      const startedMs = performance.now();
      await runCommands(tool, commandsFor({ ...place, name, layout: directories[kind] }), place.home);
      const seconds = (performance.now() - startedMs) / 1_000;
      const pulled = await pull(proxy.ecrUrl, repositoryName, kind);
      if (!rewrites) {
        expect(pulled.digest).toBe(digests[kind]);
      }
      if (kind === 'single') {
        expect(pulled.diffIds).toEqual(diffIds);
      }
      if (kind === 'multi') {
        expect(pulled.children).toHaveLength(2);
      }
      if (kind === 'artifact') {
        expect(pulled.subject).toBe(digests.single);
      }
      console.info(`${tool} ${kind} at the ${frontName}: ${seconds.toFixed(1)} s`);
    });
  }

  it.skipIf(lacks(tool))('leaves no tag behind that nobody asked for', async () => {
    const answer = await fetch(`${proxy.ecrUrl}/v2/${repositoryName}/tags/list`);
    const expected = pushedKinds.filter((kind) => push[kind]).sort();
    expect(await answer.json()).toEqual({ name: repositoryName, tags: expected });
  });

  // Every tool holds what it gets to its digests.
  it.skipIf(lacks(tool))('pulls what it has pushed', async () => {
    const place = await inHome('pull');
    const name = `${front.host}/${repositoryName}:single`;
    await runCommands(tool, pullCommands({ ...place, name }), place.home);
  });

  it.skipIf(lacks(tool))('leaves the memory flat', async () => {
    const grewBytes = await front.grewBytes();
    console.info(`${tool}: the ${frontName} grew by ${grewBytes && Math.round(grewBytes / MiB)} MiB`);
    if (grewBytes !== undefined) {
      expect(grewBytes).toBeLessThan(maxGrowthBytes);
    }
  });
});

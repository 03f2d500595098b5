// Container tools with a token that may push and not read: what they push arrives, and they are told why they pull nothing.

import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RegistryProxy, startProxy } from '../../support/bridge.ts';
import { buildLayouts, type Layouts } from '../../support/oci-layout.ts';
import { pull } from '../../support/pulled.ts';
import { tokens } from '../../support/resource-api.ts';
import { type FrontName, frontNames, fronts, pushesAllKinds } from './fronts.ts';
import { kinds, tools } from './tool-table.ts';
import { lacks, runCommands, runTool } from './tools.ts';

/** Both share the code that answers. */
const testedFronts: readonly FrontName[] = pushesAllKinds ? frontNames : ['endpoint'];
const rows = testedFronts.flatMap((frontName) =>
  Object.entries(tools).map(([tool, commands]) => ({ frontName, tool, commands })),
);

let directory: string;
let layouts: Layouts;
let proxy: RegistryProxy;
beforeAll(async () => {
  // Short, for podman's storage.
  directory = join(tmpdir(), `only-${process.pid}`);
  layouts = await buildLayouts(join(directory, 'layouts'), 2_000_003);
  const repositories = rows.map(({ frontName, tool }) => `team-a/${frontName}/${tool}`);
  proxy = await startProxy(join(directory, 'data'), repositories, { withRegistry: true });
});
afterAll(async () => {
  await proxy?.close();
  await rm(directory, { recursive: true, force: true });
});

it.each(rows.filter(({ commands }) => !commands.readsBack))(
  '$tool pushes to the $frontName, again too, and may not pull',
  async ({ frontName, tool, commands }) => {
    if (lacks(tool)) {
      return;
    }
    const front = await fronts[frontName](proxy, tokens.pushOnly);
    try {
      const home = join(directory, frontName, tool);
      await front.makeHome(home);
      const repositoryName = `team-a/${frontName}/${tool}`;
      const at = (tag: string, storage: string) => ({
        name: `${front.host}/${repositoryName}:${tag}`,
        host: front.host,
        storage: join(home, storage),
        to: join(home, 'to'),
      });
      for (const kind of kinds.filter((one) => commands.push[one])) {
        const layout = layouts.directories[kind];
        for (const time of ['1', '2']) {
          await runCommands(tool, commands.push[kind]?.({ ...at(kind, kind + time), layout }) ?? [], home);
        }
        const { digest } = await pull(proxy.ecrUrl, repositoryName, kind);
        if (!commands.rewrites) {
          expect(digest).toBe(layouts.digests[kind]);
        }
      }
      const pulled = runCommands(tool, commands.pull(at('single', 'pull')), home);
      await expect(pulled).rejects.toThrow(/do BatchGetImage|denied|not found/i);
    } finally {
      await front.stop();
    }
  },
);

it.skipIf(lacks('oras')).each(testedFronts)(
  'oras pushes files to the %s; its cp reads each manifest back, and says that it may not',
  async (frontName) => {
    const front = await fronts[frontName](proxy, tokens.pushOnly);
    try {
      const home = join(directory, frontName, 'oras');
      await front.makeHome(home);
      await writeFile(join(home, 'file'), 'a file');
      const repositoryName = `team-a/${frontName}/oras`;
      const name = `${front.host}/${repositoryName}`;
      for (const tag of ['files', 'files']) {
        await runTool('oras', ['push', '--plain-http', '--no-tty', `${name}:${tag}`, 'file'], { home });
      }
      await pull(proxy.ecrUrl, repositoryName, 'files');
      const { single: layout } = layouts.directories;
      const copy = ['cp', '--no-tty', '--from-oci-layout', '--to-plain-http', `${layout}:single`];
      const copied = runTool('oras', [...copy, `${name}:single`], { home });
      await expect(copied).rejects.toThrow(/No policy lets this client do BatchGetImage/);
    } finally {
      await front.stop();
    }
  },
);

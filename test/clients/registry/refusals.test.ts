// What container tools show their users when the registry endpoint refuses a push, held to docs/registry-endpoint.md.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RegistryProxy, startProxy } from '../../support/bridge.ts';
import { buildLayouts, type Layouts } from '../../support/oci-layout.ts';
import { fronts } from './fronts.ts';
import { expectShown, refusals, shownIn, shownRepository } from './shown.ts';
import { tools } from './tool-table.ts';
import { lacks, runCommands } from './tools.ts';

let directory: string;
let layouts: Layouts;
let proxy: RegistryProxy;
beforeAll(async () => {
  // In lower case alone, for podman names images by their directory; and short, for its storage.
  directory = join(tmpdir(), `refused-${process.pid}`);
  layouts = await buildLayouts(join(directory, 'layouts'), 1_000);
  proxy = await startProxy(join(directory, 'data'), [shownRepository], { withRegistry: true });
});
afterAll(async () => {
  await proxy?.close();
  await rm(directory, { recursive: true, force: true });
});

it.each(Object.entries(tools))('%s shows why it is refused, as the page says', async (tool, { push }) => {
  if (lacks(tool)) {
    return;
  }
  await expectShown(tool, async ({ token, repositoryName, tag }) => {
    const front = await fronts.endpoint(proxy, token);
    const home = await mkdtemp(join(directory, tool));
    await front.makeHome(home);
    const storage = join(home, 's');
    const name = `${front.host}/${repositoryName}:${tag}`;
    const { single: layout } = layouts.directories;
    await runCommands(tool, push.single?.({ layout, name, storage, host: front.host }) ?? [], home);
  });
});

describe('what is printed is read as', () => {
  it.each([
    ['the words', 'denied: No policy lets this client do UploadLayerPart in team-b/app.: 403'],
    ['the status', 'unexpected status from POST request: 403 Forbidden'],
    ['the status', 'response status code 401: Unauthorized'],
  ])('%s', (shown, printed) => {
    expect(shownIn(printed, refusals.denied)).toBe(shown);
  });

  it('neither, where it says nothing', () => {
    expect(() => shownIn('it failed', refusals.denied)).toThrow(/neither the reason nor the status/);
  });
});

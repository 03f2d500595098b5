// Jib, oras-py and Helm push to the registry endpoint and through the bridge; what they pushed is read back.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RegistryProxy, startProxy } from '../../support/bridge.ts';
import { pull } from '../../support/pulled.ts';
import { randomBytes } from '../../support/random-bytes.ts';
import { tokens } from '../../support/resource-api.ts';
import { type Front, frontNames, fronts } from './fronts.ts';
import { libraryTools, type Place } from './library-tools.ts';
import { expectShown, shownRepository } from './shown.ts';

/** A name without a space, for Helm's charts are called like their repositories. */
const repositoryOf = (tool: string, purpose: string): string => `team-a/${tool.toLowerCase()}/${purpose}`;

let directory: string;
let proxy: RegistryProxy;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'libraries-'));
  const own = libraryTools.flatMap(({ name }) =>
    [...frontNames, 'push-only'].map((purpose) => repositoryOf(name, purpose)),
  );
  proxy = await startProxy(join(directory, 'data'), [...own, shownRepository], { withRegistry: true });
});
afterAll(async () => {
  await proxy?.close();
  await rm(directory, { recursive: true, force: true });
});

async function placeAt(front: Front, members: Omit<Place, 'host' | 'home'>): Promise<Place> {
  const home = await mkdtemp(join(directory, 'home-'));
  await front.makeHome(home);
  return { host: front.host, home, ...members };
}

describe.each(libraryTools)('$name', (tool) => {
  const reason = tool.lacking();
  if (reason !== undefined) {
    it('is tested', ({ skip }) => skip(reason));
    return;
  }

  it.each(frontNames)('pushes to the %s, again too, and pulls', async (frontName) => {
    const front = await fronts[frontName](proxy, tokens.a);
    try {
      const repositoryName = repositoryOf(tool.name, frontName);
      const token = frontName === 'endpoint' ? tokens.a : '';
      const place = await placeAt(front, { repositoryName, tag: '1.0.0', token });
      const content = randomBytes(6_000_007);
      await tool.push(place, content);
      const { digest } = await pull(proxy.ecrUrl, repositoryName, '1.0.0');
      await tool.push(place, content);
      const again = await pull(proxy.ecrUrl, repositoryName, '1.0.0');
      if (!tool.tagsVersionsAlone) {
        expect(again.digest).toBe(digest);
      }
      expect((await tool.pull?.(place))?.equals(content)).toBe(tool.pull && true);
    } finally {
      await front.stop();
    }
  });

  it('moves a tag with a token that may not read, or says what it has to read', async () => {
    const front = await fronts.endpoint(proxy, tokens.pushOnly);
    const repositoryName = repositoryOf(tool.name, 'push-only');
    const place = await placeAt(front, { repositoryName, tag: '1.0.0', token: tokens.pushOnly });
    const forbidden = /No policy lets this client do BatchGetImage|403|Forbidden/;
    const digests = new Set<string>();
    for (const content of [randomBytes(2_000), randomBytes(2_000)]) {
      if (tool.readsBack) {
        await expect(tool.push(place, content)).rejects.toThrow(forbidden);
        await expect(pull(proxy.ecrUrl, repositoryName, '1.0.0')).rejects.toThrow(/answers 404/);
      } else {
        await tool.push(place, content);
        digests.add((await pull(proxy.ecrUrl, repositoryName, '1.0.0')).digest);
      }
    }
    expect(digests.size).toBe(tool.readsBack ? 0 : 2);
    if (tool.pull) {
      await expect(tool.pull(place)).rejects.toThrow(forbidden);
    }
  });

  it('shows why it is refused, as the page says', async () => {
    await expectShown(
      tool.name,
      async ({ token, repositoryName, tag }) => {
        const front = await fronts.endpoint(proxy, token);
        const content = randomBytes(100);
        await tool.push(await placeAt(front, { repositoryName, tag, token }), content);
      },
      tool.tagsVersionsAlone ? ['tag'] : [],
    );
  });
});

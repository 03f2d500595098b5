// A build whose cache goes to the registry and is used from there: `docker buildx build --cache-to type=registry`.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { z } from 'zod';
import type { RegistryProxy } from '../../support/bridge.ts';
import { pull } from '../../support/pulled.ts';
import { randomBytes } from '../../support/random-bytes.ts';
import type { Docker } from './engine.ts';

/** Nothing runs in it, so that it builds where containers cannot. */
const dockerfile = `FROM scratch AS first
COPY large /large
FROM scratch
COPY --from=first /large /copy
`;

type Place = { docker: Docker; home: string; proxy: RegistryProxy; host: string; repositoryName: string };

const cacheManifest = z.object({
  config: z.object({ mediaType: z.literal('application/vnd.buildkit.cacheconfig.v0') }),
  layers: z.array(z.unknown()).nonempty(),
});

/** Also that the form which ECR does not take, an index of blobs, is refused and no cache appears. */
export async function expectBuildCache({ docker, home, proxy, host, repositoryName }: Place): Promise<void> {
  const context = join(home, 'context');
  await mkdir(context);
  await writeFile(join(context, 'Dockerfile'), dockerfile);
  await writeFile(join(context, 'large'), randomBytes(6_000_011));
  const name = `${host}/${repositoryName}`;
  const build = (tag: string, ...flags: string[]) =>
    docker('buildx', 'build', '--progress', 'plain', '--push', '--tag', `${name}:${tag}`, ...flags, context);
  const cacheTo = (tag: string, form: string) =>
    `--cache-to=type=registry,ref=${name}:${tag},mode=max,oci-mediatypes=true,${form}`;

  for (const tag of ['one', 'two']) {
    await build(tag, cacheTo('cache', 'image-manifest=true'));
  }
  const answer = await fetch(`${proxy.ecrUrl}/v2/${repositoryName}/manifests/cache`);
  cacheManifest.parse(await answer.json());
  await pull(proxy.ecrUrl, repositoryName, 'cache');

  await docker('system', 'prune', '--all', '--force');
  await docker('buildx', 'prune', '--all', '--force');
  await build('three', `--cache-from=type=registry,ref=${name}:cache`);
  const [one, three] = [
    await imageOf(proxy, repositoryName, 'one'),
    await imageOf(proxy, repositoryName, 'three'),
  ];
  expect(three).toEqual(one);

  // containerd shows a registry's words from version 2 on.
  await expect(build('four', cacheTo('index', 'image-manifest=false'))).rejects.toThrow(
    /add image-manifest=true|400 Bad Request/,
  );
  expect((await fetch(`${proxy.ecrUrl}/v2/${repositoryName}/manifests/index`)).status).toBe(404);
}

/** Of the image itself; beside it in the index is what tells of the build, with its time. */
async function imageOf(proxy: RegistryProxy, repositoryName: string, tag: string): Promise<unknown> {
  const { children } = await pull(proxy.ecrUrl, repositoryName, tag);
  return children[0];
}

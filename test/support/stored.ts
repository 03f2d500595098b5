// What ECR's stand-in has in a repository, byte for byte.

import type { Registry } from '../../api/registries.ts';

/** Public repositories are behind the registry's alias. */
const pathOf = { ecr: '/v2', 'ecr-public': '/v2/a1b2c3d4' } as const satisfies Record<Registry, string>;

/**
 * @param path of a blob or a manifest in the repository, such as `manifests/1.0`
 * @throws Error when it is not there
 */
export async function stored(
  ecrUrl: string,
  registry: Registry,
  path: string,
  repositoryName = 'team-a/app',
): Promise<Buffer> {
  const response = await fetch(`${ecrUrl}${pathOf[registry]}/${repositoryName}/${path}`);
  if (response.status !== 200) {
    throw new Error(`${repositoryName}/${path} is answered ${response.status}`);
  }
  return Buffer.from(await response.arrayBuffer());
}

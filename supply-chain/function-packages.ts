// Which packages have code in the functions and in the registry endpoint's server: esbuild's own account of what it
// put into their bundles.

import { build } from 'esbuild';
import { handlerBuild, serverBuild } from '../lib/functions/bundling.ts';

/** `node_modules/a/node_modules/b` of `node_modules/a/node_modules/b/src/c.js` */
const packagePattern = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;

/**
 * Bundles both as for the deployment, and keeps nothing but the account.
 * test/contract/sbom.test.ts holds it against the source maps of what the CDK would deploy.
 *
 * @returns where the packages are, from the project's root; a file of which nothing is left does not count
 */
export async function findFunctionPackages(): Promise<Set<string>> {
  const entryPoints = [...handlerBuild.entryPoints, ...serverBuild.entryPoints];
  const { metafile } = await build({ ...handlerBuild, entryPoints, sourcemap: false, metafile: true });
  const files = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs)
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([file]) => file),
  );
  return new Set(files.flatMap((file) => packagePattern.exec(file)?.[0] ?? []));
}

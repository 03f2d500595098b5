// The bills of materials of all that is shipped: the code that runs in AWS, and the package as npm installs it.

import { createHash } from 'node:crypto';
import { cedarBeside } from '../lib/functions/bundling.ts';
import { findFunctionPackages } from './function-packages.ts';
import { readLockedPackages } from './locked-packages.ts';
import { sbomOf } from './sbom.ts';

/** Deployed next to the functions' code, and not in it. */
const cedar = '@cedar-policy/cedar-wasm';

const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/**
 * @returns the bills by the names of their files
 * @throws Error if the functions or the server hold a package that package-lock.json does not know
 */
export async function makeShippedSboms() {
  const packages = readLockedPackages();
  const inFunctions = new Set([...(await findFunctionPackages()), `node_modules/${cedar}`]);
  const unlocked = [...inFunctions].filter((place) => !packages.some(({ location }) => location === place));
  if (unlocked.length > 0) {
    throw new Error(
      `in the code that is deployed, but not in package-lock.json: ${unlocked.join(', ')}. Run npm ci.`,
    );
  }
  const cedarFiles = [...cedarBeside()].map(([name, bytes]) => ({ name, sha256: sha256Of(bytes) }));
  return {
    'functions.cdx.json': sbomOf({
      subpath: 'lambda',
      description: 'The code of the Lambda functions, and of the registry endpoint’s server.',
      packages: packages.filter(({ location }) => inFunctions.has(location)),
      files: new Map([[cedar, cedarFiles]]),
    }),
    'package.cdx.json': sbomOf({
      description: 'The command line, the client and the construct, with all that npm installs with them.',
      packages: packages.filter(({ dev }) => !dev),
    }),
  };
}

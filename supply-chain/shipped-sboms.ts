// The bills of materials of all that is shipped: the functions, and the package as npm installs it.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { findFunctionPackages } from './function-packages.ts';
import { readLockedPackages } from './locked-packages.ts';
import { sbomOf } from './sbom.ts';

const cedar = '@cedar-policy/cedar-wasm';
/** Lies beside the functions' bundles as it is. */
const wasm = join(dirname(createRequire(import.meta.url).resolve(`${cedar}/nodejs`)), 'cedar_wasm_bg.wasm');

/**
 * @returns the bills by the names of their files
 * @throws Error if the functions hold a package that package-lock.json does not know
 */
export const makeShippedSboms = async () => {
  const packages = readLockedPackages();
  const inFunctions = await findFunctionPackages();
  const unlocked = [...inFunctions].filter((place) => !packages.some(({ location }) => location === place));
  if (unlocked.length > 0) {
    throw new Error(`in the functions, but not in package-lock.json: ${unlocked.join(', ')}. Run npm ci.`);
  }
  const sha256 = createHash('sha256').update(readFileSync(wasm)).digest('hex');
  return {
    'functions.cdx.json': sbomOf({
      subpath: 'lambda',
      description: 'The code of the Lambda functions.',
      packages: packages.filter(({ location }) => inFunctions.has(location)),
      files: new Map([[cedar, { name: basename(wasm), sha256 }]]),
    }),
    'package.cdx.json': sbomOf({
      description: 'The command line, the client and the construct, with all that npm installs beside them.',
      packages: packages.filter(({ dev }) => !dev),
    }),
  };
};

// `npm run licences`: fails if a package has a licence that the project does not take.

import { findLicenceFaults, findNeedlessExceptions } from './licences.ts';
import { readLockedPackages } from './locked-packages.ts';

const packages = readLockedPackages();
const faults = [...findLicenceFaults(packages), ...findNeedlessExceptions(packages)];
if (faults.length > 0) {
  console.error(`${faults.join('\n')}\nWhat is allowed, and the exceptions: supply-chain/licences.ts`);
  process.exitCode = 1;
}

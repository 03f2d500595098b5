import { describe, expect, it } from 'vitest';
import { findLicenceFaults, findNeedlessExceptions } from '../../supply-chain/licences.ts';
import { type LockedPackage, readLockedPackages } from '../../supply-chain/locked-packages.ts';

const [first] = readLockedPackages();
if (!first) {
  throw new Error('package-lock.json has no packages');
}
const planted = (name: string, others: Partial<LockedPackage> = {}): LockedPackage => ({
  ...first,
  location: `node_modules/${name}`,
  name,
  version: '1.2.3',
  dev: false,
  ...others,
});
const faultsOf = (one: LockedPackage, licence: string | undefined) => findLicenceFaults([one], () => licence);

describe('the licences', () => {
  it('of all that is installed are allowed', () => {
    expect(findLicenceFaults(readLockedPackages())).toEqual([]);
  });

  it('have no exception that nothing needs', () => {
    expect(findNeedlessExceptions(readLockedPackages())).toEqual([]);
    expect(findNeedlessExceptions([])).not.toEqual([]);
  });

  it.each(['MIT', 'MIT OR GPL-3.0-only', '(GPL-2.0-or-later OR (MIT AND ISC))', 'Apache-2.0 AND MIT'])(
    '%s is allowed in production',
    (licence) => {
      expect(faultsOf(planted('good'), licence)).toEqual([]);
    },
  );

  it.each([
    ...['GPL-3.0-only', 'AGPL-3.0-or-later', 'LGPL-2.1-only', 'MPL-2.0', 'CC-BY-NC-4.0', 'BUSL-1.1'],
    ...['MIT AND GPL-3.0-only', '(MIT OR ISC) AND SSPL-1.0', 'Apache-2.0 WITH LLVM-exception'],
    ...['SEE LICENSE IN LICENSE.md', 'UNLICENSED', 'LicenseRef-mine', 'mit-ish', ''],
  ])('%s is not, and package, version and licence are named', (licence) => {
    expect(faultsOf(planted('@planted/bad'), licence)).toEqual([
      `@planted/bad@1.2.3 has ${licence}, not allowed in production`,
    ]);
  });

  it('that bind nobody but who changes a tool are allowed in development', () => {
    expect(faultsOf(planted('tool', { dev: true }), 'MPL-2.0')).toEqual([]);
    expect(faultsOf(planted('tool', { dev: true }), 'GPL-3.0-only')).toEqual([
      'tool@1.2.3 has GPL-3.0-only, not allowed in development',
    ]);
  });

  it('are not missing, unless an exception says why, for that very version', () => {
    expect(faultsOf(planted('silent'), undefined)).toEqual(['silent@1.2.3 states no licence']);
    expect(faultsOf(planted('humanize-number', { version: '0.0.2' }), undefined)).toEqual([]);
    expect(faultsOf(planted('humanize-number', { version: '0.0.3' }), undefined)).toEqual([
      'humanize-number@0.0.3 states no licence',
    ]);
  });

  it('that a package states are not overruled by an exception', () => {
    expect(faultsOf(planted('humanize-number', { version: '0.0.2' }), 'GPL-3.0-only')).toHaveLength(1);
  });
});

// Which licences the packages may have, and which packages have another.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import satisfies from 'spdx-satisfies';
import { z } from 'zod';
import { projectRoot } from '../lib/project-root.ts';
import { type LockedPackage, referenceOf } from './locked-packages.ts';

/** They require that their text is kept, and nothing else. */
const permissive = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'MIT-0',
];

/** Of tools and their data, which are run here and never shipped. MPL-2.0 binds who changes its own files. */
const ofTools = ['CC0-1.0', 'CC-BY-3.0', 'CC-BY-4.0', 'MPL-2.0'];

/** Packages that state no licence in package.json, by `name@version`: another version is checked again. */
const exceptions: Readonly<Record<string, { licence: string; reason: string }>> = {
  'humanize-number@0.0.2': { licence: 'MIT', reason: 'its Readme.md says so' },
};

const typed = z.object({ type: z.string() });

const manifest = z.object({
  license: z.union([z.string(), typed]).optional(),
  /** As packages said it before SPDX expressions: any one of them. */
  licenses: z.array(typed).optional(),
});

function statedIn(text: string): string | undefined {
  const { license, licenses } = manifest.parse(JSON.parse(text));
  return typeof license === 'object'
    ? license.type
    : (license ?? licenses?.map(({ type }) => type).join(' OR '));
}

/** What the package itself says; of one that this platform does not install, what the registry said. */
function statedLicence({ location, license }: LockedPackage): string | undefined {
  const file = join(projectRoot, location, 'package.json');
  return existsSync(file) ? statedIn(readFileSync(file, 'utf8')) : license;
}

/** Whether an SPDX expression can be met with these licences alone; what is no expression cannot. */
function isMetBy(expression: string, licences: readonly string[]): boolean {
  try {
    return satisfies(expression, licences);
  } catch {
    return false;
  }
}

/** @returns a sentence for each package whose licence is not allowed */
export const findLicenceFaults = (
  packages: readonly LockedPackage[],
  licenceOf: (one: LockedPackage) => string | undefined = statedLicence,
): string[] =>
  packages.flatMap((one) => {
    const reference = referenceOf(one);
    const licence = licenceOf(one) ?? exceptions[reference]?.licence;
    if (licence === undefined) {
      return [`${reference} states no licence`];
    }
    const allowed = one.dev ? [...permissive, ...ofTools] : permissive;
    const kind = one.dev ? 'development' : 'production';
    return isMetBy(licence, allowed) ? [] : [`${reference} has ${licence}, not allowed in ${kind}`];
  });

/** @returns a sentence for each exception that no package needs any more */
export function findNeedlessExceptions(packages: readonly LockedPackage[]): string[] {
  const silent = new Set(packages.filter((one) => statedLicence(one) === undefined).map(referenceOf));
  return Object.keys(exceptions)
    .filter((reference) => !silent.has(reference))
    .map((reference) => `${reference} is an exception that nothing needs: take it away`);
}

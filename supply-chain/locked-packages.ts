// What package-lock.json has: every package at its place, as `npm ci` installs it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { projectRoot } from '../lib/project-root.ts';

const names = z.record(z.string(), z.string()).default({});

const lockedPackage = z.object({
  version: z.string(),
  /** Only of a package that was installed under another name. */
  name: z.string().optional(),
  /** As the registry gave it when the package was locked. */
  license: z.string().optional(),
  integrity: z.string().optional(),
  /** Whether only development needs it. */
  dev: z.boolean().default(false),
  /** Whether only some platforms have it. */
  optional: z.boolean().default(false),
  /** Whether it comes inside another package, and is held by that one's integrity. */
  inBundle: z.boolean().default(false),
  hasInstallScript: z.boolean().default(false),
  dependencies: names,
  optionalDependencies: names,
});

const lockFile = z.object({ packages: z.record(z.string(), lockedPackage) });

export type LockedPackage = z.infer<typeof lockedPackage> & {
  name: string;
  /** From the project's root: `node_modules/a/node_modules/b`. */
  location: string;
};

/** What identifies a package: `name@version`. */
export const referenceOf = ({ name, version }: LockedPackage): string => `${name}@${version}`;

const folder = 'node_modules/';

/** @throws ZodError if package-lock.json has not the form that npm 7 and later write */
export function readLockedPackages(): LockedPackage[] {
  const { packages } = lockFile.parse(
    JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8')),
  );
  return Object.entries(packages)
    .filter(([location]) => location !== '')
    .map(([location, { name, ...others }]) => ({
      ...others,
      location,
      name: name ?? location.slice(location.lastIndexOf(folder) + folder.length),
    }));
}

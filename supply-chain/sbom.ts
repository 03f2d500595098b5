// A software bill of materials (CycloneDX 1.6) of some of the locked packages: the same text at every build of a commit.

import { Contrib, Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library';
import satisfies from 'spdx-satisfies';
import packageJson from '../package.json' with { type: 'json' };
import { type LockedPackage, referenceOf } from './locked-packages.ts';

// All that is asked of it here is whether it throws: it does at what is no SPDX expression.
const licences = new Contrib.License.Factories.LicenseFactory((text) => satisfies(text, []));

/** https://github.com/package-url/purl-spec: the scope's at sign is escaped. */
const purlOf = (name: string, version: string) => `pkg:npm/${name.replace('@', '%40')}@${version}`;

function componentOf(locked: LockedPackage): Models.Component {
  const [name = '', group] = locked.name.split('/').reverse();
  const component = new Models.Component(Enums.ComponentType.Library, name, {
    bomRef: referenceOf(locked),
    version: locked.version,
    purl: purlOf(locked.name, locked.version),
    scope: locked.optional ? Enums.ComponentScope.Optional : Enums.ComponentScope.Required,
    ...(group !== undefined && { group }),
  });
  if (locked.license !== undefined) {
    component.licenses.add(licences.makeFromString(locked.license));
  }
  const [, sha512] = /^sha512-([\w+/]+=*)$/.exec(locked.integrity ?? '') ?? [];
  if (sha512 !== undefined) {
    component.hashes.set(Enums.HashAlgorithm['SHA-512'], Buffer.from(sha512, 'base64').toString('hex'));
  }
  return component;
}

type ShippedFile = { name: string; sha256: string };

/** Files that are shipped as their packages have them, by the packages' names. */
type ShippedFiles = ReadonlyMap<string, readonly ShippedFile[]>;

const fileOf = ({ name, sha256 }: ShippedFile, reference: string): Models.Component =>
  new Models.Component(Enums.ComponentType.File, name, {
    bomRef: `${reference}#${name}`,
    hashes: new Models.HashDictionary([[Enums.HashAlgorithm['SHA-256'], sha256]]),
  });

/** By the packages' places; a version that lies at several is one component. */
function componentsOf(packages: readonly LockedPackage[], files: ShippedFiles) {
  const byReference = new Map<string, Models.Component>();
  // What comes inside another package has no integrity of its own: rather its twin that has.
  for (const one of packages.toSorted((a, b) => Number(a.inBundle) - Number(b.inBundle))) {
    const reference = referenceOf(one);
    const component = byReference.get(reference) ?? componentOf(one);
    byReference.set(reference, component);
    for (const file of files.get(one.name) ?? []) {
      component.components.add(fileOf(file, reference));
    }
  }
  return new Map(
    packages.map((one) => [one.location, byReference.get(referenceOf(one)) ?? componentOf(one)]),
  );
}

/** Where Node.js looks for a package: in the one that asks, then next to it, then next to those that contain it. */
function placesOf(name: string, from: string): string[] {
  const outer = from.lastIndexOf('/node_modules/');
  const others = outer < 0 ? [`node_modules/${name}`] : placesOf(name, from.slice(0, outer));
  return [`${from}/node_modules/${name}`, ...others];
}

type BillOfMaterials = {
  /** What the packages are in, as a path within this package; without one, this package itself. */
  subpath?: string;
  description: string;
  packages: readonly LockedPackage[];
  files?: ShippedFiles;
};

/** @returns its JSON; without a time and a serial number, which would differ from build to build */
export function sbomOf({ subpath, description, packages, files = new Map() }: BillOfMaterials): string {
  const { name, version, license, dependencies } = packageJson;
  const suffix = subpath === undefined ? '' : `#${subpath}`;
  const root = new Models.Component(Enums.ComponentType.Application, name, {
    bomRef: `${name}@${version}${suffix}`,
    version,
    description,
    purl: `${purlOf(name, version)}${suffix}`,
  });
  root.licenses.add(licences.makeFromString(license));

  const components = componentsOf(packages, files);
  const link = (from: Models.Component | undefined, places: string[]) => {
    const found = places.map((place) => components.get(place)).find((component) => component !== undefined);
    if (found) {
      from?.dependencies.add(found.bomRef);
    }
  };
  for (const needed of Object.keys(dependencies)) {
    link(root, [`node_modules/${needed}`]);
  }
  for (const one of packages) {
    for (const needed of Object.keys({ ...one.dependencies, ...one.optionalDependencies })) {
      link(components.get(one.location), placesOf(needed, one.location));
    }
  }

  const bom = new Models.Bom({
    metadata: new Models.Metadata({ component: root }),
    components: new Models.ComponentRepository(components.values()),
  });
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}

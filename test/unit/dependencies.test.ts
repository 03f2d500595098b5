// Dependencies are few, pinned, and each known by its reason.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../lib/project-root.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { readLockedPackages, referenceOf } from '../../supply-chain/locked-packages.ts';

const textOf = (path: string) => readFileSync(join(projectRoot, path), 'utf8');
const locked = readLockedPackages();

describe('docs/dependencies.md', () => {
  const sections = textOf('docs/dependencies.md').split(/^## /m);
  const rowsOf = (title: string) =>
    (sections.find((section) => section.startsWith(title)) ?? '')
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => line.split('|').map((cell) => cell.trim()));

  it.each([
    ['Dependencies that are shipped', packageJson.dependencies],
    ['Dependencies for development', packageJson.devDependencies],
  ])(
    'has under “%s” what package.json has, with licence, reason and what would take its place',
    (title, declared) => {
      const rows = rowsOf(title);
      const licence = (name: string): unknown =>
        JSON.parse(textOf(`node_modules/${name}/package.json`)).license;
      expect(rows.map(([, name, stated]) => `${name} ${stated}`)).toEqual(
        Object.keys(declared)
          .sort()
          .map((name) => `\`${name}\` ${licence(name)}`),
      );
      for (const [, name, , reason, instead] of rows) {
        expect(reason, name).not.toBe('');
        expect(instead, name).not.toBe('');
      }
    },
  );
});

describe('dependencies', () => {
  it('are pinned to one version each, and peers alone have a range', () => {
    const declared = { ...packageJson.dependencies, ...packageJson.devDependencies };
    const loose = Object.entries(declared).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
    expect(loose).toEqual([]);
    const missing = Object.entries(declared)
      .map(([name, version]) => `${name}@${version}`)
      .filter((reference) => !locked.some((one) => referenceOf(one) === reference));
    expect(missing).toEqual([]);
  });

  it('are locked by the digest of their bytes, or lie in a package that is', () => {
    const open = locked.filter(({ integrity, inBundle }) => !inBundle && !/^sha512-/.test(integrity ?? ''));
    expect(open.map(referenceOf)).toEqual([]);
    const inside = locked.filter(({ inBundle }) => inBundle).map(({ location }) => location);
    const carriers = locked
      .filter(({ integrity }) => integrity !== undefined)
      .map(({ location }) => location);
    expect(inside.filter((location) => !carriers.some((one) => location.startsWith(`${one}/`)))).toEqual([]);
  });

  it('come from the registry that npm is set to, and from no address', () => {
    expect(textOf('package-lock.json')).not.toMatch(/"resolved"|"link": true|git\+|https?:\/\/[^"]*\.tgz/);
    expect(textOf('.npmrc').split('\n')).toEqual(
      expect.arrayContaining(['save-exact=true', 'omit-lockfile-registry-resolved=true']),
    );
    expect(textOf('.npmrc')).not.toMatch(/registry\s*=\s*\S*:|_auth|strict-ssl/i);
  });

  it('run scripts at their installation only where package.json allows it, and nothing is allowed that has none', () => {
    const scripted = new Set(
      locked.filter(({ hasInstallScript }) => hasInstallScript).map(({ name }) => name),
    );
    expect(Object.keys(packageJson.allowScripts).sort()).toEqual([...scripted].sort());
  });

  it.each(['test/deploy/requirements.txt', 'test/clients/python/requirements.txt'])(
    'in %s are pinned',
    (path) => {
      const lines = textOf(path)
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'));
      expect(lines.filter((line) => !/^[\w.-]+(\[\w+\])?==[\w.]+$/.test(line))).toEqual([]);
    },
  );
});

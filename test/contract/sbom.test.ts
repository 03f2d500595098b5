// The bills of materials against what is shipped: functions and server as they would be deployed, the built package.

import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { projectRoot } from '../../lib/project-root.ts';
import { localAccount } from '../../local/account.ts';
import { assemblies } from '../../local/local.ts';
import { synthesize } from '../../local/template/synthesize.ts';
import { readTemplate } from '../../local/template/template.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { readLockedPackages, referenceOf } from '../../supply-chain/locked-packages.ts';
import { makeShippedSboms } from '../../supply-chain/shipped-sboms.ts';

type Sboms = Awaited<ReturnType<typeof makeShippedSboms>>;

const file = z.object({
  name: z.string(),
  type: z.literal('file'),
  hashes: z.array(z.object({ alg: z.literal('SHA-256'), content: z.string() })),
});
const sbom = z.object({
  metadata: z.object({ component: z.object({ 'bom-ref': z.string() }) }),
  components: z.array(
    z.object({
      'bom-ref': z.string(),
      version: z.string(),
      purl: z.string(),
      licenses: z.array(z.unknown()).min(1),
      hashes: z.array(z.object({ alg: z.literal('SHA-512'), content: z.string().length(128) })).min(1),
      components: z.array(file).default([]),
    }),
  ),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()).default([]) })),
});

const locked = readLockedPackages();
let texts: Sboms;
const bills = () => ({
  functions: sbom.parse(JSON.parse(texts['functions.cdx.json'])),
  package: sbom.parse(JSON.parse(texts['package.cdx.json'])),
});
const referencesOf = ({ components }: z.infer<typeof sbom>) => components.map((one) => one['bom-ref']).sort();

beforeAll(async () => {
  texts = await makeShippedSboms();
});

describe('each bill of materials', () => {
  it('is valid CycloneDX 1.6', () => {
    const schemas = join(
      dirname(createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json')),
      'res/schema',
    );
    const read = (name: string) => JSON.parse(readFileSync(join(schemas, name), 'utf8'));
    const ajv = new Ajv({
      strict: false,
      // JSON Schema's vocabulary of formats is a package of its own; none of what is written here has one.
      validateFormats: false,
      schemas: Object.fromEntries(
        ['spdx.SNAPSHOT.schema.json', 'jsf-0.82.SNAPSHOT.schema.json'].map((name) => [
          `http://cyclonedx.org/schema/${name}`,
          read(name),
        ]),
      ),
    });
    const isValid = ajv.compile(read('bom-1.6.SNAPSHOT.schema.json'));
    expect(isValid({ ...JSON.parse(texts['package.cdx.json']), components: [{ name: 'x' }] })).toBe(false);
    for (const text of Object.values(texts)) {
      isValid(JSON.parse(text));
      expect(isValid.errors).toBeNull();
    }
  });

  it('is the same when it is made again', async () => {
    expect(await makeShippedSboms()).toEqual(texts);
    for (const text of Object.values(texts)) {
      expect(text).not.toMatch(/serialNumber|timestamp|BomRef/);
    }
  });

  it('has a way from what is shipped to every package in it', () => {
    for (const bill of Object.values(bills())) {
      const reached = new Set<string>();
      const follow = (ref: string) => {
        if (reached.has(ref)) {
          return;
        }
        reached.add(ref);
        bill.dependencies.find((one) => one.ref === ref)?.dependsOn.forEach(follow);
      };
      follow(bill.metadata.component['bom-ref']);
      expect(referencesOf(bill).filter((ref) => !reached.has(ref))).toEqual([]);
    }
  });
});

describe('the bill of what runs in AWS', () => {
  let directories: string[];
  beforeAll(async () => {
    const template = readTemplate(await synthesize(assemblies['stand-in']), localAccount);
    const { functions, containers } = template;
    directories = [...new Set([...functions, ...containers].map(({ directory }) => directory))];
    expect(containers).toHaveLength(1);
  }, 300_000);

  const filesOf = (pattern: string): string[] =>
    directories.flatMap((cwd) => {
      const found = globSync(pattern, { cwd });
      expect(found, cwd).toHaveLength(1);
      return found.map((name) => join(cwd, name));
    });

  it('has the packages that the source maps of the deployed code name, and no others', () => {
    const sources = filesOf('{index,server}.mjs.map').flatMap(
      (map): string[] => JSON.parse(readFileSync(map, 'utf8')).sources,
    );
    const places = sources.flatMap((source) => /node_modules\/.*\//.exec(source)?.[0] ?? []);
    const deployed = locked.filter(({ location }) =>
      places.some(
        (place) =>
          place.startsWith(`${location}/`) && !place.slice(location.length).includes('/node_modules/'),
      ),
    );
    const beside = locked.filter(({ location }) => location === 'node_modules/@cedar-policy/cedar-wasm');
    expect(referencesOf(bills().functions)).toEqual(
      [...new Set([...deployed, ...beside].map(referenceOf))].sort(),
    );
  });

  it('has the files of Cedar as they are next to the deployed code', () => {
    const { components } = bills().functions;
    const files = components.flatMap((one) => one.components);
    expect(files.map(({ name }) => name).sort()).toEqual(['cedar_wasm.js', 'cedar_wasm_bg.wasm']);
    for (const { name, hashes } of files) {
      for (const deployed of filesOf(name)) {
        const sha256 = createHash('sha256').update(readFileSync(deployed)).digest('hex');
        expect(hashes).toEqual([{ alg: 'SHA-256', content: sha256 }]);
      }
    }
  });
});

describe('the bill of the package', () => {
  it('has every dependency, also one that a development dependency depends on', () => {
    const direct = locked
      .filter(({ location }) =>
        Object.keys(packageJson.dependencies).some((name) => location === `node_modules/${name}`),
      )
      .map(referenceOf);
    expect(direct).toHaveLength(Object.keys(packageJson.dependencies).length);
    expect(referencesOf(bills().package)).toEqual(expect.arrayContaining(direct));
  });

  it('has whatever the built code imports, but the peers that the user has', async () => {
    const { metafile } = await build({
      absWorkingDir: projectRoot,
      entryPoints: ['cli/main.ts', 'client/exports.ts', 'lib/exports.ts'],
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      outdir: 'unwritten',
      write: false,
      metafile: true,
    });
    const imported = Object.values(metafile.outputs)
      .flatMap(({ imports }) => imports.filter(({ external }) => external).map(({ path }) => path))
      .map((path) => path.replace(/^node:/, ''))
      .filter((path) => !builtinModules.includes(path))
      .map((path) => /^(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]);
    const names = locked.filter(({ dev }) => !dev).map(({ name }) => name);
    const foreign = new Set(imported.filter((name) => name !== undefined && !names.includes(name)));
    expect([...foreign].sort()).toEqual(Object.keys(packageJson.peerDependencies).sort());
  });
});

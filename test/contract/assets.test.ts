// The functions' assets are the same whoever synthesizes, and wherever the project lies.

import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import cdk from '../../cdk.json' with { type: 'json' };
import { contextKey } from '../../lib/configuration/configuration.ts';
import { policiesOf } from '../support/policy-directory.ts';

const projectRoot = join(import.meta.dirname, '../..');
const above = realpathSync(mkdtempSync(join(tmpdir(), 'assets-')));

/** What a shell, a URL and a pattern would each read in another way. */
const oddName = `it's "a" $(touch ran) \`touch ran\` $HOME * [b] #c?d %20\n; touch ran`;

/** Another checkout: its own sources, and the packages that are installed here. */
function checkoutIn(directory: string): string {
  mkdirSync(directory, { recursive: true });
  for (const name of ['bin', 'api', 'lib', 'lambda', 'policies', 'policy', 'package.json', 'cdk.json']) {
    cpSync(join(projectRoot, name), join(directory, name), { recursive: true });
  }
  symlinkSync(join(projectRoot, 'node_modules'), join(directory, 'node_modules'));
  return directory;
}

const policyDirectory = join(policiesOf({}), 'pol$eu $(touch ran)');
cpSync(join(projectRoot, 'policies'), policyDirectory, { recursive: true });
writeFileSync(join(policyDirectory, 'own.cedar'), '@id("nobody") forbid (principal, action, resource);\n');

/** Runs the CDK app as `cdk synth` does, under a umask. */
async function synthesizeIn(checkout: string, umask: string): Promise<string> {
  const outdir = join(checkout, 'cdk.out');
  const configuration = { repositories: { ecr: ['team-a/*'] }, policyDirectory };
  const command = 'umask "$1"; shift; exec "$@"';
  await promisify(execFile)(
    'sh',
    ['-c', command, 'sh', umask, process.execPath, join(checkout, 'bin/app.ts')],
    {
      cwd: checkout,
      env: {
        ...process.env,
        CDK_OUTDIR: outdir,
        CDK_CONTEXT_JSON: JSON.stringify({ ...cdk.context, [contextKey]: configuration }),
      },
    },
  );
  return outdir;
}

type Entry = { path: string; mode: string; bytes: string };

const assetsOf = (outdir: string): Entry[] =>
  readdirSync(outdir, { recursive: true, withFileTypes: true })
    .map((entry) => ({ entry, path: join(entry.parentPath, entry.name) }))
    .map(({ entry, path }) => ({
      path: relative(outdir, path),
      mode: (statSync(path).mode & 0o777).toString(8),
      bytes: entry.isFile() ? readFileSync(path, 'latin1') : '',
    }))
    .filter(({ path }) => path.startsWith('asset.'))
    .sort((a, b) => (a.path < b.path ? -1 : 1));

describe('the assets', () => {
  let strict: Entry[];
  let open: Entry[];
  beforeAll(async () => {
    strict = assetsOf(await synthesizeIn(checkoutIn(join(above, 'a')), '077'));
    open = assetsOf(await synthesizeIn(checkoutIn(join(above, 'deeper', oddName)), '002'));
  }, 600_000);

  it('are there, one for all functions', () => {
    expect(strict.filter(({ path }) => path.endsWith('/index.mjs'))).toHaveLength(1);
  });

  it('have the same names, modes and bytes in every checkout and under every umask', () => {
    const outline = (entries: Entry[]) => entries.map(({ path, mode }) => `${mode} ${path}`);
    expect(outline(strict)).toEqual(outline(open));
    expect(
      strict.filter((entry, index) => entry.bytes !== open[index]?.bytes).map(({ path }) => path),
    ).toEqual([]);
  });

  it('can be read by everybody', () => {
    const isFile = ({ path }: Entry) => /\.(?:js|mjs|map|wasm|cedar|cedarschema|yaml)$/.test(path);
    expect(new Set(strict.filter(isFile).map(({ mode }) => mode))).toEqual(new Set(['644']));
    expect(new Set(strict.filter((entry) => !isFile(entry)).map(({ mode }) => mode))).toEqual(
      new Set(['755']),
    );
  });

  it('name no place on the machine that made them', () => {
    for (const { path, bytes } of strict.filter((entry) => !entry.path.endsWith('.wasm'))) {
      for (const place of [above, projectRoot, tmpdir()]) {
        expect(bytes.includes(place), path).toBe(false);
      }
    }
  });

  it('have the policies of the directory that was named, and no shell has read its name', () => {
    expect(open.filter(({ path }) => path.endsWith('policies/own.cedar'))).toHaveLength(1);
    const made = readdirSync(above, { recursive: true, encoding: 'utf8' });
    expect(made.filter((path) => path.endsWith('/ran') || path === 'ran')).toEqual([]);
  });
});

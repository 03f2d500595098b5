import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

const filesBelow = (directory: string): string[] =>
  readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(directory, file));

const rooms = ['bin', 'lib', 'lambda', 'client', 'cli', 'local', 'supply-chain'];
const files = rooms.flatMap(filesBelow);

type Import = { from: string; to: string; typeOnly: boolean };

/** The imports between the project's own files, by path from the root. */
const imports: Import[] = files.flatMap((from) =>
  [
    ...readFileSync(join(root, from), 'utf8').matchAll(/^import (type )?(?:[^'"]*? from )?'(\.[^']+)';/gms),
  ].map(([, type, target = '']) => ({
    from,
    to: relative(root, resolve(root, dirname(from), target)),
    typeOnly: type !== undefined,
  })),
);

const tables = ['operations', 'members', 'registries', 'errors', 'limits', 'metrics'].map(
  (name) => `lambda/${name}.ts`,
);
const show = ({ from, to }: Import) => `${from} → ${to}`;
const offending = (rule: (one: Import) => boolean) => imports.filter((one) => !rule(one)).map(show);

describe('the rooms', () => {
  it('are read by this test at all', () => {
    expect(imports.length).toBeGreaterThan(50);
    for (const table of tables) expect(files).toContain(table);
  });

  it('are not entered from outside where nobody else lives: bin, cli, local, supply-chain and test', () => {
    expect(
      offending(
        ({ from, to }) =>
          !/^(bin|cli|local|supply-chain|test)\//.test(to) ||
          from.split('/')[0] === to.split('/')[0] ||
          // Whether a text is a token of ours, the command that mints them knows.
          to === 'cli/tokens/mint.ts',
      ),
    ).toEqual([]);
  });

  it('lib takes from lambda only the tables, and the policies and the form of issuers to check at synth', () => {
    const checks = ['policies', 'policy-directory', 'issuers', 'quotas'];
    const allowed = [...tables, ...checks.map((name) => `lambda/${name}.ts`)];
    expect(
      offending(
        ({ from, to }) => !(from.startsWith('lib/') && to.startsWith('lambda/')) || allowed.includes(to),
      ),
    ).toEqual([]);
  });

  it('client takes from lambda only the tables', () => {
    expect(
      offending(
        ({ from, to }) => !(from.startsWith('client/') && to.startsWith('lambda/')) || tables.includes(to),
      ),
    ).toEqual([]);
  });

  it('the ECR stand-in takes nothing from the code it judges', () => {
    expect(
      offending(({ from, to }) => !from.startsWith('local/ecr/') || to.startsWith('local/ecr/')),
    ).toEqual([]);
  });

  it('handlers know the corridor and nothing else', () => {
    expect(
      offending(({ from, to }) => !from.startsWith('lambda/handlers/') || to === 'lambda/corridor.ts'),
    ).toEqual([]);
  });

  it('steps take no code from each other, only the types that they hand on', () => {
    const step = /^lambda\/steps\//;
    expect(offending(({ from, to, typeOnly }) => !(step.test(from) && step.test(to)) || typeOnly)).toEqual(
      [],
    );
  });

  it('ECR and S3 are reached by forward alone; services only makes the clients', () => {
    const allowed = ['lambda/steps/forward.ts', 'lambda/services.ts'];
    expect(
      offending(
        ({ from, to }) =>
          !to.startsWith('lambda/upstream/') || from.startsWith('lambda/upstream/') || allowed.includes(from),
      ),
    ).toEqual([]);
  });

  it('have one handler of two lines per operation, and one for the AWS door', async () => {
    const { operationNames } = await import('../../lambda/operations.ts');
    const handlers = files.filter((file) => file.startsWith('lambda/handlers/'));
    expect(handlers).toHaveLength(operationNames.length + 1);
    for (const file of handlers) {
      const lines = readFileSync(join(root, file), 'utf8').split('\n').filter(Boolean);
      expect(lines).toHaveLength(2);
    }
  });

  it('open each file with one sentence that says what room it is', () => {
    const silent = files
      .filter((file) => !file.startsWith('lambda/handlers/'))
      .filter((file) => !/^(#!.*\n)?\/\/ \S/.test(readFileSync(join(root, file), 'utf8')));
    expect(silent).toEqual([]);
  });
});

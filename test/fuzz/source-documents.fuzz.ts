// Sources for `push` with changed documents, names and links: each is read or refused, and nothing outside is read.

import { execFile } from 'node:child_process';
import { link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { fuzzed } from '../support/fuzzing.ts';
import { layout, type Member, savedImage, tarOf, writeMembers } from '../support/hostile-archives.ts';
import { expectReadOrRefused, type Read, secret } from '../support/sources.ts';

const run = promisify(execFile);

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'documents-'));
  await writeFile(join(directory, 'secret'), secret);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function tryArchive(bytes: Uint8Array): Promise<Read> {
  const path = join(directory, 'mutated');
  await writeFile(path, bytes);
  return expectReadOrRefused(path);
}

describe('a document with some values changed', () => {
  const odd = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom<unknown>(
      null,
      -1,
      1e308,
      '\ud800',
      '\u001b[2J',
      '../secret',
      '../../secret',
      '/etc/passwd',
      'sha256:../../secret',
      '__proto__',
      [],
      {},
      [[]],
      [null],
      'x'.repeat(5_000),
    ),
  );
  const changes = fc.array(
    fc.record({ place: fc.nat(), value: odd, kind: fc.constantFrom('set', 'delete', 'add') }),
    { minLength: 1, maxLength: 3 },
  );

  it.each([
    [
      'of what docker saved',
      (changed: (json: unknown) => unknown) =>
        ['manifest', 'config'].map((which) =>
          savedImage({ [which]: changed(documentOf(savedImage(), `${which}.json`)) }),
        ),
    ],
    [
      'of a layout',
      (changed: (json: unknown) => unknown) => [
        layout({ index: changed(documentOf(layout(), 'index.json')) }),
        layout({ manifest: changed(documentOf(layout(), layout().at(-1)?.name ?? '')) }),
      ],
    ],
  ] as const)('is read or refused, %s', async (_, sourcesOf) => {
    await fc.assert(
      fc.asyncProperty(changes, fc.boolean(), async (list, isDirectory) => {
        for (const members of sourcesOf((json) => list.reduce(changeOf, json))) {
          if (!isDirectory) {
            await tryArchive(tarOf(members));
          } else {
            const path = join(directory, 'unpacked');
            await expectReadOrRefused(await writeMembers(path, members));
            await rm(path, { recursive: true });
          }
        }
      }),
      fuzzed(500),
    );
  });
});

const documentOf = (members: Member[], name: string): unknown =>
  JSON.parse(Buffer.from(members.find((member) => member.name === name)?.bytes ?? '').toString());

/** One of the values in `json`, the way to it chosen by `place`. */
function changeOf(
  json: unknown,
  { place, value, kind }: { place: number; value: unknown; kind: string },
): unknown {
  if (typeof json !== 'object' || json === null || place % 5 === 0) {
    return value;
  }
  const copy: Record<string, unknown> = { ...json };
  const keys = Object.keys(copy);
  const key = keys[place % Math.max(1, keys.length)] ?? 'x';
  if (kind === 'delete' && place % 3 === 0) {
    delete copy[key];
  } else if (kind === 'add' && place % 3 === 0) {
    Object.defineProperty(copy, typeof value === 'string' ? value : 'x', {
      value,
      enumerable: true,
      configurable: true,
    });
  } else {
    copy[key] = changeOf(copy[key], { place: Math.floor(place / 7), value, kind });
  }
  return Array.isArray(json) ? Object.values(copy) : copy;
}

describe('a folder with links of every kind', () => {
  it('never shows what lies outside of it', async () => {
    const within = ['one/layer.tar', 'one', 'config.json', 'manifest.json', 'a', 'a/b', 'loop', 'index.json'];
    const layer = fc.constant('one/layer.tar');
    const name = fc.oneof({ weight: 2, arbitrary: layer }, fc.constantFrom(...within));
    const target = fc.oneof(
      fc.constantFrom('../secret', '../../secret', 'SECRET', 'one/../../secret', '..', '../..'),
      fc.constantFrom('.', '/', 'loop', 'pipe', '/dev/zero', '/proc/self/environ', '/proc/self/fd/0'),
      fc.constantFrom(...within),
    );
    const layerName = fc.oneof(
      { weight: 3, arbitrary: layer },
      fc.constantFrom('one/layer.tar', 'one/../one/layer.tar', './one//layer.tar', 'a/b', 'loop', 'a/secret'),
      fc.constantFrom('../secret', 'a/../../secret', 'one/../../secret', 'SECRET', 'pipe', '', '.', '/'),
      fc.string(),
    );
    const configName = fc.oneof({ weight: 4, arbitrary: fc.constant('config.json') }, layerName);
    const pipe = join(directory, 'pipe');
    await run('mkfifo', [pipe]);
    let count = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(name, target), { maxLength: 3 }),
        layerName,
        configName,
        async (links, layer, config) => {
          const outside = join(directory, 'secret');
          const path = join(directory, `folder-${count++}`);
          const manifest = [
            {
              Config: config.replace('SECRET', outside),
              RepoTags: null,
              Layers: [layer.replace('SECRET', outside)],
            },
          ];
          await writeMembers(path, savedImage({ manifest }));
          await link(pipe, join(path, 'pipe'));
          // What lies deeper comes first: nothing is written over a link.
          for (const [name, to] of links.toSorted(([one], [other]) => other.length - one.length)) {
            await rm(join(path, name), { recursive: true, force: true }).catch(() => {});
            await mkdir(dirname(join(path, name)), { recursive: true }).catch(() => {});
            await symlink(to.replace('SECRET', outside), join(path, name)).catch(() => {});
          }
          await expectReadOrRefused(path);
          await rm(path, { recursive: true });
        },
      ),
      fuzzed(1_000),
    );
  });
});

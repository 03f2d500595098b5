// Archives that GNU tar wrote, sparse files among them: every name leads to the bytes that GNU tar unpacks there.

import { execFile } from 'node:child_process';
import { link, mkdir, mkdtemp, open, readdir, readFile, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tarFiles } from '../../client/push/tar-files.ts';
import { fuzzed } from '../support/fuzzing.ts';
import { gnuTarFormats, isGnuTar } from '../support/gnu-tar.ts';
import { sha256Of } from '../support/hostile-archives.ts';

const run = promisify(execFile);

let directory: string;
beforeAll(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'gnu-tar-')));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

type Entry = { path: string; bytes: Uint8Array; holes: readonly number[]; kind: string };

/** File systems keep holes in blocks of this size. */
const holeBytes = 4_096;

/** What the file system takes of `entries`: a name that is a folder already is no file. */
async function grow(folder: string, entries: readonly Entry[]): Promise<void> {
  const before: string[] = [];
  for (const { path, bytes, holes, kind } of entries) {
    const at = join(folder, path);
    const earlier = before.at(-1);
    try {
      await mkdir(dirname(at), { recursive: true });
      if (earlier === undefined || kind === 'file') {
        await writeSparse(at, bytes, holes);
      } else if (kind === 'hard') {
        await link(earlier, at);
      } else {
        await symlink(relative(dirname(at), kind === 'folder' ? dirname(earlier) : earlier), at);
      }
      before.push(at);
    } catch {}
  }
}

/** The bytes, again after each hole. */
async function writeSparse(path: string, bytes: Uint8Array, holes: readonly number[]): Promise<void> {
  const file = await open(path, 'wx');
  try {
    let at = 0;
    for (const hole of [0, ...holes]) {
      at += hole * holeBytes;
      await file.write(bytes, 0, bytes.length, at);
      at += bytes.length;
    }
    await file.truncate(at + (holes[0] ?? 0) * holeBytes);
  } finally {
    await file.close();
  }
}

/** Every name of a folder, also those over links. */
async function namesIn(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const own = found.map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  const links = found
    .filter((entry) => entry.isSymbolicLink())
    .map((entry) => join(entry.parentPath, entry.name));
  const over = await Promise.all(
    links.map(async (one) =>
      (await readdir(one).catch(() => [])).map((name) => relative(folder, join(one, name))),
    ),
  );
  return [...own, ...over.flat()];
}

/** Digests by name; undefined for what is no file, or lies elsewhere. */
type Contents = Record<string, string | undefined>;

async function unpackedContents(folder: string, names: readonly string[]): Promise<Contents> {
  const contents: Contents = {};
  for (const name of names) {
    const path = await realpath(join(folder, name)).catch(() => '');
    contents[name] = path.startsWith(`${folder}/`)
      ? await readFile(path).then(sha256Of, () => undefined)
      : undefined;
  }
  return contents;
}

/** The same as `push` reads it. */
async function archivedContents(archive: string, names: readonly string[]): Promise<Contents> {
  const file = await open(archive);
  try {
    const { size } = await file.stat();
    const files = await tarFiles({ file, size, title: archive, close: async () => {} });
    const contents: Contents = {};
    for (const name of names) {
      const found = await files.find(name);
      contents[name] = found && sha256Of(await buffer(Readable.from(found.open(0))));
    }
    return contents;
  } finally {
    await file.close();
  }
}

describe.skipIf(!isGnuTar)('what GNU tar wrote is read as GNU tar unpacks it', () => {
  const segment = fc
    .oneof(
      fc.stringMatching(/^[a-zA-Z0-9._#?:%@+= -]{1,20}$/),
      fc.stringMatching(/^[a-z][a-z äéß日本]{0,12}[a-z]$/),
      fc.constant('x'.repeat(120)),
      fc.constantFrom('a', 'b'),
    )
    .filter((text) => text !== '.' && text !== '..');
  const path = fc.array(segment, { minLength: 1, maxLength: 6 }).map((segments) => segments.join('/'));
  const tree = fc.uniqueArray(
    fc.record({
      path,
      bytes: fc.uint8Array({ maxLength: 1_500, size: 'max' }),
      holes: fc.array(fc.nat({ max: 4 }), { maxLength: 40, size: 'max' }),
      kind: fc.constantFrom('file', 'file', 'file', 'hard', 'symbolic', 'folder'),
    }),
    { minLength: 1, maxLength: 12, selector: (entry) => entry.path },
  );
  const options = fc.constantFrom(
    ...gnuTarFormats.map((format) => [`--format=${format}`]),
    ['--format=gnu', '--sparse'],
    ['--format=oldgnu', '--sparse'],
    ...['0.0', '0.1', '1.0'].map((version) => ['--format=pax', '--sparse', `--sparse-version=${version}`]),
  );
  let count = 0;

  it('in every format', async () => {
    await fc.assert(
      fc.asyncProperty(tree, options, fc.boolean(), async (entries, how, isDotted) => {
        const folder = join(directory, `tree-${count++}`);
        const archive = `${folder}.tar`;
        await mkdir(folder);
        await grow(folder, entries);
        const names = isDotted ? ['.'] : await readdir(folder);
        // v7 and ustar pass over what does not fit, and say so; what they wrote is compared all the same.
        const failing = (failure: { code?: number }) => expect(failure.code).toBe(2);
        await run('tar', ['-cf', archive, ...how, '-C', folder, '--', ...names]).catch(failing);
        const unpacked = `${folder}-unpacked`;
        await mkdir(unpacked);
        await run('tar', ['-xf', archive, '-C', unpacked]).catch(failing);
        const all = await namesIn(unpacked);
        expect(await archivedContents(archive, all)).toEqual(await unpackedContents(unpacked, all));
        for (const one of [folder, unpacked, archive]) {
          await rm(one, { recursive: true });
        }
      }),
      fuzzed(120),
    );
  });

  it('of files that were put in again', async () => {
    await fc.assert(
      fc.asyncProperty(tree, tree, options, async (first, second, how) => {
        const folder = join(directory, `twice-${count++}`);
        const archive = `${folder}.tar`;
        const unpacked = `${folder}-unpacked`;
        await mkdir(unpacked);
        for (const [at, entries] of [first, second].entries()) {
          await mkdir(folder);
          await grow(
            folder,
            entries.map((entry) => ({ ...entry, path: entry.path.replace(/\/.*/, '') })),
          );
          await run('tar', [at === 0 ? '-cf' : '-rf', archive, ...how, '-C', folder, '.']).catch(() => {});
          await rm(folder, { recursive: true });
        }
        await run('tar', ['-xf', archive, '-C', unpacked]).catch(() => {});
        const all = (await readdir(unpacked)).filter((name) => name.length < 100);
        expect(await archivedContents(archive, all)).toEqual(await unpackedContents(unpacked, all));
        for (const one of [unpacked, archive]) {
          await rm(one, { recursive: true });
        }
      }),
      fuzzed(60),
    );
  });
});

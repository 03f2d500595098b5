// Archives that GNU tar wrote: where their files lie is read as GNU tar lists it, and their bytes are the files'.

import { execFile } from 'node:child_process';
import { link, mkdir, mkdtemp, open, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, posix, relative } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tarEntriesOf } from '../../client/push/tar-entries.ts';
import { fuzzed } from '../support/fuzzing.ts';
import { gnuTarFormats, isGnuTar, type Listed, listedByGnuTar } from '../support/gnu-tar.ts';

const run = promisify(execFile);

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gnu-tar-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

type Entry = { path: string; bytes: Uint8Array; kind: string };

/** What the file system takes of `entries`: a name that is a folder already is no file. */
async function grow(folder: string, entries: readonly Entry[]): Promise<void> {
  let file: string | undefined;
  for (const { path, bytes, kind } of entries) {
    const at = join(folder, path);
    try {
      await mkdir(dirname(at), { recursive: true });
      if (file === undefined || kind === 'file') await writeFile(at, bytes, { flag: 'wx' });
      else if (kind === 'hard') await link(file, at);
      else await symlink(relative(dirname(at), file), at);
      if (kind === 'file') file ??= at;
    } catch {}
  }
}

/** Files with their sizes, links with the place they lead to. */
type Places = Record<string, number | string | undefined>;

const placeOf = (name: string): string => posix.normalize(`/${name}`).slice(1);

const placesOf = (listed: readonly Listed[]): Places =>
  Object.fromEntries(
    listed
      .filter(({ type }) => '-hl'.includes(type))
      .map(({ type, name, size, link = '' }) => {
        const target = type === 'l' ? posix.join(posix.dirname(`/${name}`), link) : link;
        return [placeOf(name), type === '-' ? size : placeOf(target)];
      }),
  );

/** The same as this project reads it; the bytes of each file are compared with those in `folder`. */
async function readPlaces(archive: string, folder: string): Promise<Places> {
  const file = await open(archive);
  try {
    const { size } = await file.stat();
    const entries = await tarEntriesOf({ file, size, title: archive, close: () => file.close() });
    for (const [place, entry] of entries) {
      if ('link' in entry) continue;
      const { buffer } = await file.read(Buffer.alloc(entry.size), 0, entry.size, entry.offset);
      expect(buffer.equals(await readFile(join(folder, place)))).toBe(true);
    }
    return Object.fromEntries(
      [...entries].map(([place, entry]) => [place, 'size' in entry ? entry.size : entry.link]),
    );
  } finally {
    await file.close();
  }
}

describe.skipIf(!isGnuTar)('what GNU tar wrote is read as GNU tar lists it', () => {
  const segment = fc
    .oneof(
      fc.stringMatching(/^[a-zA-Z0-9._#?:%@+=-]{1,20}$/),
      fc.stringMatching(/^[a-z][a-z äéß日本]{0,12}[a-z]$/),
      fc.constant('x'.repeat(120)),
    )
    .filter((text) => text !== '.' && text !== '..');
  const path = fc.array(segment, { minLength: 1, maxLength: 6 }).map((segments) => segments.join('/'));
  const tree = fc.uniqueArray(
    fc.record({
      path,
      bytes: fc.uint8Array({ maxLength: 1_500, size: 'max' }),
      kind: fc.constantFrom('file', 'file', 'file', 'hard', 'symbolic'),
    }),
    { minLength: 1, maxLength: 12, selector: (entry) => entry.path },
  );
  let count = 0;

  it('in every format', async () => {
    await fc.assert(
      fc.asyncProperty(
        tree,
        fc.constantFrom(...gnuTarFormats),
        fc.boolean(),
        async (entries, format, isDotted) => {
          const folder = join(directory, `tree-${count++}`);
          const archive = `${folder}.tar`;
          await mkdir(folder);
          await grow(folder, entries);
          const names = isDotted ? ['.'] : await readdir(folder);
          // v7 and ustar pass over what does not fit, and say so; what they wrote is compared all the same.
          const options = ['-cf', archive, `--format=${format}`, '-C', folder, '--', ...names];
          await run('tar', options).catch((failure: { code?: number }) => expect(failure.code).toBe(2));
          expect(await readPlaces(archive, folder)).toEqual(placesOf(await listedByGnuTar(archive)));
          await rm(folder, { recursive: true });
          await rm(archive);
        },
      ),
      fuzzed(120),
    );
  });
});

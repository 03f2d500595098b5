// What git has: the files of the work tree, and everything that the history holds.

import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

type GitFile = { path: string; bytes: Buffer };

const git = (root: string, args: string[], input?: string): Buffer =>
  execFileSync('git', args, { cwd: root, maxBuffer: 2 ** 31 - 1, ...(input !== undefined && { input }) });

/** The tracked files, and those that would be with the next `git add .`. */
export const readWorkTree = (root: string): GitFile[] =>
  git(root, ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'])
    .toString()
    .split('\0')
    .filter((path) => path !== '' && lstatSync(join(root, path), { throwIfNoEntry: false })?.isFile())
    .map((path) => ({ path, bytes: readFileSync(join(root, path)) }));

/**
 * Every version of every file, and the messages of commits and tags. A shallow clone has little of it.
 *
 * @throws Error if git has no such object, or writes what it does not document
 */
export function readHistory(root: string): GitFile[] {
  const listed = git(root, ['rev-list', '--objects', '--all']).toString().trimEnd().split('\n');
  const paths = new Map(
    listed.map((line) => {
      const [id = '', ...path] = line.split(' ');
      return [id, path.join(' ')];
    }),
  );
  const batch = git(root, ['cat-file', '--batch'], [...paths.keys(), ''].join('\n'));
  const files: GitFile[] = [];
  for (let at = 0; at < batch.length; ) {
    const end = batch.indexOf('\n', at);
    const [id = '', type, size] = batch.toString('latin1', at, end).split(' ');
    if (size === undefined) {
      throw new Error(`git cat-file: ${id} ${type}`);
    }
    const bytes = batch.subarray(end + 1, end + 1 + Number(size));
    const path = `${type} ${id.slice(0, 12)} ${paths.get(id) ?? ''}`.trimEnd();
    if (type !== 'tree') {
      files.push({ path, bytes });
    }
    at = end + 1 + Number(size) + 1;
  }
  return files;
}

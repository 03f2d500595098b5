// GNU tar, where this machine's tar is that one: the formats it writes, and what it lists of an archive.

import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const isGnuTar = execFileSync('tar', ['--version']).toString().startsWith('tar (GNU tar)');

export const gnuTarFormats = ['gnu', 'oldgnu', 'pax', 'ustar', 'v7'] as const;

/** `type` is `-` for a file, `h` for a hard link, `l` for a symbolic one. */
export type Listed = { type: string; size: number; name: string; link?: string };

/** Names with `->` or ` link to ` in them are ambiguous in such a list. */
export async function listedByGnuTar(archive: string): Promise<Listed[]> {
  const { stdout } = await run('tar', ['-tvf', archive, '--numeric-owner', '--quoting-style=escape'], {
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    maxBuffer: 64 * 1_048_576,
  });
  return stdout.split('\n').filter(Boolean).map(listedOf);
}

function listedOf(line: string): Listed {
  const [, type = '', size = '', rest = ''] = /^(.)\S+ \S+ +([\d,]+) \S+ \S+ (.*)$/.exec(line) ?? [];
  const [name = '', link] = rest.split(type === 'h' ? ' link to ' : ' -> ').map(unescaped);
  return { type, size: Number(size), name, ...(link !== undefined && { link }) };
}

/** `\\ooo` is a byte, `\\\\` a backslash. */
const unescaped = (text: string): string =>
  Buffer.from(
    text.replace(/\\([0-7]{3}|.)/g, (_, code: string) =>
      code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : code,
    ),
    'latin1',
  ).toString();

// GNU tar, where this machine's tar is that one: the formats it writes.

import { execFileSync } from 'node:child_process';

export const isGnuTar = execFileSync('tar', ['--version']).toString().startsWith('tar (GNU tar)');

export const gnuTarFormats = ['gnu', 'oldgnu', 'pax', 'ustar', 'v7'] as const;

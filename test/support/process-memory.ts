// How much memory a process has, as Linux tells it.

import { readFile } from 'node:fs/promises';

/** `VmRSS` is what it has now, `VmHWM` the most that it has had. @returns undefined where the system does not tell */
export async function memoryOf(
  processId: number | undefined,
  member: 'VmRSS' | 'VmHWM',
): Promise<number | undefined> {
  const status = await readFile(`/proc/${processId}/status`, 'utf8').catch(() => '');
  const kibibytes = new RegExp(`${member}:\\s+(\\d+) kB`).exec(status)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1_024;
}

// How much memory a process has, as Linux tells it.

import { readFile, writeFile } from 'node:fs/promises';

/**
 * `VmRSS` is what it has now, `VmHWM` the most that it has had, since its start or since `forgetPeak`.
 *
 * @returns undefined where the system does not tell
 */
export async function memoryOf(
  processId: number | undefined,
  member: 'VmRSS' | 'VmHWM',
): Promise<number | undefined> {
  const status = await readFile(`/proc/${processId}/status`, 'utf8').catch(() => '');
  const kibibytes = new RegExp(`${member}:\\s+(\\d+) kB`).exec(status)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1_024;
}

/** From now on `VmHWM` is of what follows: the peak of a start is no growth. Source: proc_pid_clear_refs(5). */
export const forgetPeak = (processId: number | undefined): Promise<void> =>
  writeFile(`/proc/${processId}/clear_refs`, '5').catch(() => {});

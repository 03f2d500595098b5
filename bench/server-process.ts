// A server that is measured from outside, by what Linux tells of its process.

import { readFile } from 'node:fs/promises';
import { forgetPeak, memoryOf } from '../test/support/process-memory.ts';
import type { Cost } from './measured.ts';

/** Clock ticks in a second, in what Linux tells: always these. Source: proc_pid_stat(5), USER_HZ. */
const ticks = 100;

/** Of all threads, in user mode and in the kernel. */
async function cpuSecondsOf(processId: number | undefined): Promise<number> {
  const stat = await readFile(`/proc/${processId}/stat`, 'utf8');
  // The name of the program, which may hold anything, is in parentheses.
  const [, , , , , , , , , , , userTicks, systemTicks] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(userTicks) + Number(systemTicks)) / ticks;
}

export type ServerCost = Cost & {
  /** By how much the memory's peak was above what the server had when it was idle. */
  grewBytes: number;
};

/** @param processId a server that is idle, and that has served nothing yet but what shows that it is there */
export async function measuring(processId: number | undefined) {
  const idleBytes = (await memoryOf(processId, 'VmRSS')) ?? Number.NaN;
  return async (push: () => Promise<unknown>): Promise<ServerCost> => {
    await forgetPeak(processId);
    const cpuSeconds = await cpuSecondsOf(processId);
    const startedMs = performance.now();
    await push();
    return {
      wallSeconds: (performance.now() - startedMs) / 1_000,
      cpuSeconds: (await cpuSecondsOf(processId)) - cpuSeconds,
      grewBytes: ((await memoryOf(processId, 'VmHWM')) ?? Number.NaN) - idleBytes,
    };
  };
}

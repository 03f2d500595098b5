// What a process takes while a load lasts: its memory, sampled, and its time of CPU. Linux tells it.

import { readFile } from 'node:fs/promises';
import { memoryOf } from '../support/process-memory.ts';

const everyMs = 500;
const MiB = 1_048_576;
/** USER_HZ, which is 100 on every Linux that there is. */
const ticksPerSecond = 100;

type Sample = { atMs: number; mebibytes: number };

export type ProcessUse = {
  startMiB: number;
  peakMiB: number;
  /** The median of the second quarter of the time, when it is warm, and of the last. */
  warmMiB: number;
  endMiB: number;
  /** Of a straight line through the samples from the second quarter on. */
  mebibytesPerMinute: number;
  cpuSeconds: number;
};

export async function watchProcess(processId: number) {
  const samples: Sample[] = [];
  const cpuAtStart = await cpuSecondsOf(processId);
  const startedAt = performance.now();
  const sample = async () => {
    const bytes = await memoryOf(processId, 'VmRSS');
    if (bytes !== undefined) {
      samples.push({ atMs: performance.now() - startedAt, mebibytes: bytes / MiB });
    }
  };
  await sample();
  const timer = setInterval(sample, everyMs);
  /** The end of the load: what is still under way then is no part of what is measured. */
  return async (): Promise<ProcessUse> => {
    clearInterval(timer);
    await sample();
    const quarter = Math.floor(samples.length / 4);
    const warm = samples.slice(quarter);
    return {
      startMiB: samples.at(0)?.mebibytes ?? 0,
      peakMiB: Math.max(...samples.map(({ mebibytes }) => mebibytes)),
      warmMiB: medianOf(samples.slice(quarter, 2 * quarter)),
      endMiB: medianOf(samples.slice(-quarter)),
      mebibytesPerMinute: slopeOf(warm) * 60_000,
      cpuSeconds: (await cpuSecondsOf(processId)) - cpuAtStart,
    };
  };
}

/** Source: proc_pid_stat(5), utime and stime; the name before them may hold spaces. */
async function cpuSecondsOf(processId: number): Promise<number> {
  const stat = await readFile(`/proc/${processId}/stat`, 'utf8');
  const members = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(members[11]) + Number(members[12])) / ticksPerSecond;
}

function medianOf(samples: readonly Sample[]): number {
  const sorted = samples.map(({ mebibytes }) => mebibytes).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Least squares, in MiB for each millisecond. */
function slopeOf(samples: readonly Sample[]): number {
  const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanAt = meanOf(samples.map(({ atMs }) => atMs));
  const meanSize = meanOf(samples.map(({ mebibytes }) => mebibytes));
  const covariance = meanOf(samples.map(({ atMs, mebibytes }) => (atMs - meanAt) * (mebibytes - meanSize)));
  return covariance / meanOf(samples.map(({ atMs }) => (atMs - meanAt) ** 2));
}

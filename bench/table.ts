// What was measured, as a table of Markdown: medians, and for the time the least and the most.

import { cpus } from 'node:os';
import type { Cost } from './measured.ts';

/** `grewBytes`: by how much a server's memory was above what it had when it was idle. */
export type Sample = Cost & { grewBytes?: number };

const MiB = 1_048_576;

const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);
const median = (numbers: readonly number[]): number => sorted(numbers)[numbers.length >> 1] ?? Number.NaN;

/** Its MiB may be followed by a smaller layer and a configuration, which count for nothing here. */
export function tableOf(samples: ReadonlyMap<string, readonly Sample[]>, layerMiB: number): string {
  const cells = [...samples].map(([way, of]) => {
    const wall = of.map(({ wallSeconds }) => wallSeconds);
    const cpu = median(of.map(({ cpuSeconds }) => cpuSeconds)) / (layerMiB / 1_024);
    const [first, ...later] = of.flatMap(({ grewBytes }) => (grewBytes === undefined ? [] : grewBytes / MiB));
    return [
      way,
      `${median(wall).toFixed(1)} (${Math.min(...wall).toFixed(1)} to ${Math.max(...wall).toFixed(1)})`,
      (layerMiB / median(wall)).toFixed(0),
      cpu.toFixed(1),
      first === undefined ? '' : [first, ...later].map((grew) => grew.toFixed(0)).join(', '),
    ];
  });
  const rows = [
    ['', 'seconds', 'MiB/s', 'CPU, s/GiB', 'memory over idle, MiB'],
    ['---', '---', '---', '---', '---'],
    ...cells,
  ].map((row) => `| ${row.join(' | ')} |`);
  const [{ model = '' } = {}] = cpus();
  const runs = Math.max(...[...samples.values()].map(({ length }) => length));
  return [
    `A layer of ${layerMiB} MiB, the median of ${runs} runs, of CPU time that of the SDK’s process or of the server; ${cpus().length} × ${model}:`,
    '',
    ...rows,
  ].join('\n');
}

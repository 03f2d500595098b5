// What was measured, as a table of Markdown: medians, and for the time the least and the most.

import { cpus } from 'node:os';
import type { Cost } from './measured.ts';

/** `grewBytes`: by how much a server's memory was above what it had when it was idle. */
export type Sample = Cost & { grewBytes?: number };

const MiB = 1_048_576;

const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);
const median = (numbers: readonly number[]): number => sorted(numbers)[numbers.length >> 1] ?? Number.NaN;

const markdown = (rows: readonly (readonly string[])[]): string[] =>
  rows.map((row) => `| ${row.join(' | ')} |`);

const machine = (): string => `${cpus().length} × ${cpus()[0]?.model}`;

/**
 * @param baseline which of the ways the others are held against
 * @param layerMiB of the layer, besides which an image has little that counts
 */
export function speedTableOf(
  samples: ReadonlyMap<string, readonly Sample[]>,
  baseline: string,
  layerMiB: number,
): string {
  const baseSeconds = median((samples.get(baseline) ?? []).map(({ wallSeconds }) => wallSeconds));
  const rows = [...samples].map(([way, of]) => {
    const wall = of.map(({ wallSeconds }) => wallSeconds);
    const seconds = median(wall);
    const cpuSeconds = median(of.map(({ cpuSeconds }) => cpuSeconds));
    const grew = of.flatMap(({ grewBytes }) => (grewBytes === undefined ? [] : (grewBytes / MiB).toFixed(0)));
    return [
      way,
      `${seconds.toFixed(1)} (${Math.min(...wall).toFixed(1)} to ${Math.max(...wall).toFixed(1)})`,
      (layerMiB / seconds).toFixed(0),
      (baseSeconds / seconds).toFixed(2),
      ((cpuSeconds * 1_024) / layerMiB).toFixed(1),
      grew.join(', '),
    ];
  });
  const runs = Math.max(...[...samples.values()].map(({ length }) => length));
  return [
    `A layer of ${layerMiB} MiB, the median of ${runs} runs, on ${machine()}. CPU time is that of the client where the SDK is the client, and of the server where skopeo is. Memory is of each run, of the endpoint with a server that was fresh at the first.`,
    '',
    ...markdown([
      ['', 'seconds (least to most)', 'MiB/s', '× the SDK', 'CPU, s/GiB', 'memory over idle, MiB'],
      ['---', '---', '---', '---', '---', '---'],
      ...rows,
    ]),
  ].join('\n');
}

/** @param samples by how many uploads there were at the same time */
export function memoryTableOf(samples: ReadonlyMap<number, Sample>): string {
  const rows = [...samples].map(([uploads, { grewBytes = Number.NaN, wallSeconds }]) => [
    `${uploads}`,
    (grewBytes / MiB).toFixed(0),
    (grewBytes / MiB / uploads).toFixed(0),
    wallSeconds.toFixed(1),
  ]);
  return markdown([
    ['uploads of 100 MB at once', 'MiB over idle', 'for each', 'seconds'],
    ['---', '---', '---', '---'],
    ...rows,
  ]).join('\n');
}

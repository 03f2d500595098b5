// What a load gave, as the tables of docs/reliability.md.

import { availableParallelism, loadavg } from 'node:os';
import type { LoadResult } from './run-load.ts';

const GiB = 1_073_741_824;

const namesOf = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${count} × ${name}`)
    .join('; ') || 'none';

const rowOf = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;

const tableOf = (columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [rowOf(columns), rowOf(columns.map(() => '---')), ...rows.map(rowOf)].join('\n');

const uploadColumns = [
  'front',
  'clients',
  'seconds',
  'layers',
  'images',
  'GiB',
  'lost',
  'throttles',
  'errors',
];

function uploadsOf({ front, clients, seconds, acknowledged, lost, measurements }: LoadResult) {
  const bytes = acknowledged.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const images = acknowledged.filter(({ image }) => image).length;
  const { throttles, errors } = measurements;
  return [
    ...[
      front,
      clients,
      Math.round(seconds),
      acknowledged.length,
      images,
      (bytes / GiB).toFixed(2),
      lost.length,
    ],
    ...[namesOf(throttles), namesOf(errors)],
  ];
}

const memoryColumns = ['process', 'start', 'warm', 'peak', 'end', 'MiB a minute', 'seconds of CPU'];

function memoryOf({ front, use }: LoadResult) {
  const { startMiB, warmMiB, peakMiB, endMiB, mebibytesPerMinute, cpuSeconds } = use;
  const numbers = [startMiB, warmMiB, peakMiB, endMiB, mebibytesPerMinute, cpuSeconds];
  return [front, ...numbers.map(Math.round)];
}

export function reportOf(results: readonly LoadResult[]): string {
  const answers = results.flatMap(({ front, measurements }) =>
    measurements.answers.map(({ kind, count, p50Ms, p99Ms }) => [front, kind, count, p50Ms, p99Ms]),
  );
  const day = new Date().toISOString().slice(0, 10);
  const [busy = 0] = loadavg();
  return [
    `Measured on ${day}, on ${availableParallelism()} cores at a load average of ${Math.round(busy)}, clients and servers together. What was acknowledged:`,
    tableOf(uploadColumns, results.map(uploadsOf)),
    'Resident memory in MiB, of the whole local stack (with its functions, S3 and the ECR stand-in), and of the registry endpoint alone:',
    tableOf(memoryColumns, results.map(memoryOf)),
    'How long a successful answer took, in ms, the waits for a place included:',
    tableOf(['front', 'request', 'answers', 'p50', 'p99'], answers),
  ].join('\n\n');
}

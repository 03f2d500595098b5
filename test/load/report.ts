// What a load gave, as the tables of docs/reliability.md.

import type { LoadResult } from './run-load.ts';

const GiB = 1_073_741_824;

const namesOf = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${count} × ${name}`)
    .join('; ') || 'none';

export function reportOf(results: readonly LoadResult[]): string {
  const uploads = results.map(({ front, clients, seconds, acknowledged, measurements }) => {
    const bytes = acknowledged.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const images = acknowledged.filter(({ image }) => image).length;
    const { throttles, errors } = measurements;
    return `| ${front} | ${clients} | ${Math.round(seconds)} | ${acknowledged.length} | ${images} | ${(bytes / GiB).toFixed(2)} | ${namesOf(throttles)} | ${namesOf(errors)} |`;
  });
  const memory = results.map(({ front, use }) => {
    const { startMiB, warmMiB, peakMiB, endMiB, mebibytesPerMinute, cpuSeconds } = use;
    const sizes = [startMiB, warmMiB, peakMiB, endMiB, mebibytesPerMinute].map(Math.round);
    return `| ${front} | ${sizes.join(' | ')} | ${cpuSeconds.toFixed(0)} |`;
  });
  const answers = results.flatMap(({ front, measurements }) =>
    measurements.answers.map(
      ({ kind, count, p50Ms, p99Ms }) => `| ${front} | ${kind} | ${count} | ${p50Ms} | ${p99Ms} |`,
    ),
  );
  return [
    '| front | clients at once | seconds, to the last answer | layers acknowledged | images acknowledged | GiB | throttles | errors |',
    '|---|---|---|---|---|---|---|---|',
    ...uploads,
    '',
    '| process | RSS at the start, MiB | warm | peak | end | MiB a minute | seconds of CPU |',
    '|---|---|---|---|---|---|---|',
    ...memory,
    '',
    '| front | request | answers | p50, ms | p99, ms |',
    '|---|---|---|---|---|',
    ...answers,
  ].join('\n');
}

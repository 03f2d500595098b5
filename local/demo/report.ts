// The demo's table: what each layer took, and all of them together.

import type { PushedBlob } from '../../client/push/push-images.ts';

const MiB = 1_048_576;
const whole = new Intl.NumberFormat('en-US');

/**
 * Lines of equal width.
 * @param names by digest
 * @param seconds how long the whole push took, its layers being sent side by side
 * @param registrySeconds how long the same took through the registry endpoint, one after the other
 */
export function tableOf(
  blobs: readonly PushedBlob[],
  names: ReadonlyMap<string, string>,
  seconds: number,
  registrySeconds: number,
): string[] {
  const rows = blobs.map(({ digest, size, ...row }) => ({
    ...row,
    name: names.get(digest) ?? digest,
    bytes: size,
  }));
  const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
  const requests = rows.reduce((sum, row) => sum + row.requests, 0);
  const body = [...rows, { name: 'in all', bytes, requests, seconds }];
  const cells = [
    ['layer', 'bytes', 'requests', 'seconds'],
    ...body.map((row) => [
      row.name,
      whole.format(row.bytes),
      whole.format(row.requests),
      row.seconds.toFixed(2),
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const lines = cells.map(
    (line) =>
      `  ${line.map((cell, at) => (at === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ')}`,
  );
  const rate = (inSeconds: number) => `${(bytes / MiB / inSeconds).toFixed(1)} MiB/s`;
  return [
    ...lines,
    `  ${rate(seconds)} through the proxy, ${rate(registrySeconds)} through the registry endpoint`,
  ];
}

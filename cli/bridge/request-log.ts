// The bridge's log on standard output: a line for each request, and no reason to end where it cannot be written.

import { writeSync } from 'node:fs';
import type { Served } from '../../registry/front/serve.ts';

/** Never a token or a query. */
export function linesOf({ method, path, status, ms, code, fault }: Served): string[] {
  const outcome = [status ?? 'the client went away', code].filter(Boolean).join(' ');
  const line = `${method} ${path} ${outcome} ${ms} ms`;
  return fault === undefined
    ? [line]
    : [line, `a fault of the bridge: ${fault instanceof Error ? fault.stack : fault}`];
}

/**
 * Writes lines. A full disk or a closed pipe costs lines and nothing else: pushes go on, and the log says how many
 * are missing once there is room again. A stream of Node.js's would be closed by its first error.
 */
export function lineWriter(write: (text: string) => void = writeToStandardOutput): (line: string) => void {
  let lost = 0;
  return (line) => {
    const missing = lost > 0 ? `${lost} lines of this log could not be written\n` : '';
    try {
      write(`${missing}${line}\n`);
      lost = 0;
    } catch {
      lost += 1;
    }
  };
}

const writeToStandardOutput = (text: string): void => void writeSync(process.stdout.fd, text);

/** What else is printed, as at the start and the end, may be lost as well. */
export function surviveLostOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => {});
  }
}

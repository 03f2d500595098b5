// The log of calls in memory: a line for each, with what was said of it until it ended.

import type { ProxyError } from '../../api/proxy-error.ts';
import type { BeginRecord, CallOrigin } from '../../lambda/telemetry/call-record.ts';

export type RecordedLine = {
  readonly origin: CallOrigin;
  operation?: string;
  readonly members: Record<string, unknown>;
  readonly counts: Record<string, number>;
  readonly warnings: [message: string, failure: unknown][];
  /** How often the line was written. */
  ends: number;
  status?: number | undefined;
  error?: ProxyError | undefined;
};

export function recordedLines() {
  const lines: RecordedLine[] = [];
  const beginRecord: BeginRecord = (origin) => {
    const line: RecordedLine = { origin, members: {}, counts: {}, warnings: [], ends: 0 };
    lines.push(line);
    return {
      serves: (operation) => {
        line.operation = operation;
      },
      add: (members) => void Object.assign(line.members, members),
      count: (name, value = 1) => {
        line.counts[name] = (line.counts[name] ?? 0) + value;
      },
      warn: (message, failure) => void line.warnings.push([message, failure]),
      end: (status, error) => {
        line.ends += 1;
        Object.assign(line, { status, error });
      },
    };
  };
  return { lines, beginRecord };
}

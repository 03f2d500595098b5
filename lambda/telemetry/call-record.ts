// The log line and the metrics of one call alone: hundreds may be in flight in one process.

import type { Logger } from '@aws-lambda-powertools/logger';
import { maxLogLineBytes } from '../../api/limits.ts';
import type { ProxyError } from '../../api/proxy-error.ts';
import type { ServedName } from '../../api/session-tokens.ts';
import { bounded } from './bounded.ts';
import { describeFailure } from './failures.ts';
import type { CallMeter, Meter } from './meter.ts';

/** Which call it is, and from where. */
export type CallOrigin = { readonly requestId: string; readonly sourceIp: string };

export type CallRecord = {
  /** Once the operation is known. */
  serves(operation: ServedName): void;
  /** Adds what a step knows to the call's log line. */
  add(members: Readonly<Record<string, unknown>>): void;
  count: CallMeter['count'];
  /** Logs a failure at once that does not fail the call. */
  warn(message: string, failure: unknown): void;
  /** Writes the log line and the metrics, with the HTTP status of the answer, and the error if there is one. */
  end(status: number | undefined, error?: ProxyError): void;
};

/** Begins the record of a call. */
export type BeginRecord = (origin: CallOrigin) => CallRecord;

export const callRecords =
  (logger: Logger, meter: Meter): BeginRecord =>
  ({ requestId, sourceIp }) => {
    const startedAt = performance.now();
    const line: Record<string, unknown> = { requestId, sourceIp };
    const { serves, count, refused, publish } = meter.begin();
    return {
      serves: (operation) => {
        line.operation = operation;
        serves(operation);
      },
      add: (members) => {
        Object.assign(line, members);
      },
      count,
      warn: (message, failure) => {
        logger.warn(message, { requestId, failure: describeFailure(failure) });
      },
      end: (status, error) => {
        if (error) {
          const { code, message: detail, cause } = error;
          Object.assign(line, { code, detail, ...(cause ? { cause: describeFailure(cause) } : {}) });
          refused(code);
        }
        const level = error?.code === 'InternalFailure' ? 'error' : 'info';
        const durationMs = Math.round(performance.now() - startedAt);
        logger[level]('request', { ...bounded(line, maxLogLineBytes), status, durationMs });
        publish();
      },
    };
  };

// What the log and the metrics say of one call, and of no other: hundreds may be under way in one process.

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
  /** What a step has found out, for the call's line of the log. */
  add(members: Readonly<Record<string, unknown>>): void;
  count: CallMeter['count'];
  /** Logs at once what could not be done but does no harm. */
  warn(message: string, failure: unknown): void;
  /** Writes the line and the counts, with the HTTP status of the answer and the error where it is one. */
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

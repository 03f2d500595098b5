// Writes the metrics of api/metrics.ts as CloudWatch's embedded metric format, by Powertools.

import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { z } from 'zod';
import { type ErrorCode, errorCodeOf, errors } from '../../api/errors.ts';
import { type MetricName, metrics as table, type UpstreamCall } from '../../api/metrics.ts';
import type { OperationName } from '../../api/operations.ts';

type PerRequest = {
  [Name in MetricName]: (typeof table)[Name]['by'] extends 'operation' ? Name : never;
}[MetricName];

/** Makes a call to AWS and measures it. */
export type Measure = <T>(upstream: UpstreamCall, call: () => Promise<T>) => Promise<T>;

export type Meter = {
  /** Counts for the request that is under way; `value` is 1 where it is left out. */
  count(name: PerRequest, value?: number): void;
  /** Every request begins so, and ends with `publish`. */
  begin(): void;
  /** Once the request's operation is known. */
  serves(operation: OperationName): void;
  refused(reason: ErrorCode): void;
  measure: Measure;
  publish(): void;
};

/** What S3 answers where a slot is not there, or not as it was read: no fault of anybody's. */
const expectedStatuses: ReadonlySet<unknown> = new Set([404, 409, 412]);

/** The SDK's own note of the answer, which it adds to what it throws. */
const answered = z.object({ $metadata: z.object({ httpStatusCode: z.number() }) });

const statusOf = (failure: unknown) => answered.safeParse(failure).data?.$metadata.httpStatusCode;

/** Throttled, not reachable, not allowed or broken; not what ECR says of what a client sent. */
const isFault = (failure: unknown): boolean => {
  if (expectedStatuses.has(statusOf(failure))) return false;
  const code = errorCodeOf(failure);
  return code === undefined || code === 'ThrottlingException' || errors[code].status >= 500;
};

/** @param metrics with the dimension `service` as its default */
export const openMeter = (metrics: Metrics): Meter => {
  /** Written at once, with dimensions of its own. */
  const write = (name: MetricName, dimension: string, value: number) => {
    const { by, unit } = table[name];
    const single = metrics.singleMetric();
    single.addDimensions({}).addDimensions({ [by]: dimension });
    single.addMetric(name, MetricUnit[unit], value);
  };

  const count: Meter['count'] = (name, value = 1) => {
    metrics.addMetric(name, MetricUnit[table[name].unit], value);
  };

  return {
    count,
    begin: () => {
      metrics.addDimensions({});
      count('Requests');
    },
    serves: (operation) => {
      metrics.addDimensions({ operation });
    },
    refused: (reason) => write('Refusals', reason, 1),
    measure: async (upstream, call) => {
      const started = performance.now();
      try {
        return await call();
      } catch (failure) {
        if (isFault(failure)) write('UpstreamErrors', upstream, 1);
        throw failure;
      } finally {
        write('UpstreamLatency', upstream, performance.now() - started);
      }
    },
    publish: () => {
      // Where calls overlap, as with one that was given up, the other's end has written all there was.
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
      else metrics.clearDimensions();
    },
  };
};

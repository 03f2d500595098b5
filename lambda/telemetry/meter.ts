// Writes the metrics of api/metrics.ts as CloudWatch's embedded metric format, by Powertools.

import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { ErrorCode } from '../../api/errors.ts';
import { type FaultSource, type MetricName, metrics as table, type UpstreamCall } from '../../api/metrics.ts';
import type { ServedName } from '../../api/session-tokens.ts';
import { outcomeOf, type UpstreamOutcome } from './outcomes.ts';

type PerRequest = {
  [Name in MetricName]: (typeof table)[Name]['by'] extends 'operation' ? Name : never;
}[MetricName];

/** Makes a call to AWS and measures it. */
export type Measure = <T>(upstream: UpstreamCall, call: () => Promise<T>) => Promise<T>;

/** Counts for one call, and writes it with `publish`. */
export type CallMeter = {
  /** `value` is 1 by default. */
  count(name: PerRequest, value?: number): void;
  /** Once the call's operation is known. */
  serves(operation: ServedName): void;
  refused(reason: ErrorCode): void;
  publish(): void;
};

export type Meter = {
  begin(): CallMeter;
  /** Counted each time that it occurs. */
  fault(source: FaultSource): void;
  /** For every call to AWS, without dimensions of the client's call. */
  measure: Measure;
};

/** The outcomes that are faults of an AWS service. */
const faults: readonly UpstreamOutcome[] = ['throttled', 'failed'];

export function openMeter(): Meter {
  /** With the dimension `service` as its default. */
  const shared = new Metrics();

  /** Written at once, with dimensions of its own. */
  const write = (name: MetricName, dimension: string, value: number) => {
    const { by, unit } = table[name];
    const single = shared.singleMetric();
    single.addDimensions({}).addDimensions({ [by]: dimension });
    single.addMetric(name, MetricUnit[unit], value);
  };

  return {
    begin: () => {
      // One for each call: it keeps the counts together with their dimensions until they are published.
      const metrics = new Metrics();
      const count: CallMeter['count'] = (name, value = 1) => {
        metrics.addMetric(name, MetricUnit[table[name].unit], value);
      };
      metrics.addDimensions({});
      count('Requests');
      return {
        count,
        serves: (operation) => {
          metrics.addDimensions({ operation });
        },
        refused: (reason) => write('Refusals', reason, 1),
        publish: () => {
          metrics.publishStoredMetrics();
        },
      };
    },
    fault: (source) => write('ConfigurationFaults', source, 1),
    measure: async (upstream, call) => {
      const started = performance.now();
      try {
        return await call();
      } catch (error) {
        if (faults.includes(outcomeOf(error))) {
          write('UpstreamErrors', upstream, 1);
        }
        throw error;
      } finally {
        write('UpstreamLatency', upstream, performance.now() - started);
      }
    },
  };
}

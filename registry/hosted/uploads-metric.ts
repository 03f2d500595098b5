// How many uploads a server has under way, once a minute: what its service is scaled by.

import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { uploadsInFlightMetric } from '../../api/metrics.ts';

/**
 * In the log, as all metrics are; with the dimension `service`.
 *
 * @returns what stops it
 */
export function meterUploads(uploadsUnderWay: () => number): () => void {
  const metrics = new Metrics();
  const timer = setInterval(() => {
    metrics.addMetric(uploadsInFlightMetric.name, MetricUnit.Count, uploadsUnderWay());
    metrics.publishStoredMetrics();
  }, uploadsInFlightMetric.everySeconds * 1_000).unref();
  return () => clearInterval(timer);
}

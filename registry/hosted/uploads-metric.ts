// How many uploads a server has under way, once a minute: what its service is scaled by.

import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';

const everyMs = 60_000;

/**
 * In the log, as all metrics are; with the dimension `service`.
 *
 * @returns what stops it
 */
export function meterUploads(uploadsUnderWay: () => number): () => void {
  const metrics = new Metrics();
  const timer = setInterval(() => {
    metrics.addMetric('UploadsInFlight', MetricUnit.Count, uploadsUnderWay());
    metrics.publishStoredMetrics();
  }, everyMs).unref();
  return () => clearInterval(timer);
}

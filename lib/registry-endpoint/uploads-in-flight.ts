// The metric that the service is scaled by: how many uploads a server has under way, once a minute from each.

import { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { metricsNamespace, uploadsInFlightMetric } from '../../api/metrics.ts';

/** In the mean of all servers. */
export const uploadsInFlight = (serviceName: string): Metric =>
  new Metric({
    namespace: metricsNamespace,
    metricName: uploadsInFlightMetric.name,
    dimensionsMap: { service: serviceName },
    statistic: Stats.AVERAGE,
    period: Duration.seconds(uploadsInFlightMetric.everySeconds),
  });

// The metrics of the endpoint on a web function: its alarms and its dashboard. Lambda writes no zeros.

import { Duration } from 'aws-cdk-lib';
import { type IWidget, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { AlarmRow } from '../monitoring/alarm-table.ts';
import { sumOf } from '../monitoring/proxy-metrics.ts';
import { graph, half, heading } from '../monitoring/widgets.ts';

export type WebFunctionMetrics = { functionName: string; endpointName: string; uploadsInFlight: Metric };

/** Source: the Lambda developer guide, "Using CloudWatch metrics with Lambda Web Functions". */
const faults = ({ functionName, endpointName }: WebFunctionMetrics) =>
  new Metric({
    namespace: 'AWS/Lambda/Web',
    metricName: 'HTTPResponseStatusClass5XX',
    dimensionsMap: { FunctionName: functionName, EndpointName: endpointName },
    statistic: Stats.SUM,
    period: Duration.minutes(5),
  });

export const webFunctionAlarms = {
  RegistryServerErrors: {
    description: '10 or more answers of 5xx by the web function in 5 minutes, twice within 15 minutes.',
    metric: (metrics) => sumOf('5xx', [faults(metrics)]),
    threshold: 10,
    datapoints: [2, 3],
  },
} as const satisfies Record<string, AlarmRow<WebFunctionMetrics>>;

export const webFunctionWidgets = (metrics: WebFunctionMetrics): IWidget[][] => [
  [heading('The registry endpoint')],
  [
    graph('Registry endpoint: uploads in flight', 'in an execution environment', half, [
      metrics.uploadsInFlight.with({ statistic: Stats.AVERAGE, label: 'Mean' }),
      metrics.uploadsInFlight.with({ statistic: Stats.MAXIMUM, label: 'Most' }),
    ]),
    graph('Registry endpoint: 5xx', 'answers in 5 min', half, [sumOf('Web function', [faults(metrics)])]),
  ],
];

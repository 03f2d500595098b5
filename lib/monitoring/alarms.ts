// The alarms: what wakes a person up, and the section of docs/operations.md that says what to do.

import { Duration } from 'aws-cdk-lib';
import { MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { ErrorCode } from '../../api/errors.ts';
import { partSize } from '../../api/limits.ts';
import { type AlarmRow, AlarmTable } from './alarm-table.ts';
import { type ProxyMetrics, sumOf } from './proxy-metrics.ts';

/** Refusals for authentication and authorization: the others are part of pushing. */
const denials: readonly ErrorCode[] = [
  'UnrecognizedClientException',
  'ExpiredTokenException',
  'AccessDeniedException',
];

/**
 * In percent of all requests; 0 below twenty denials, which a single client with an old token can make, and 100 from
 * ten in a second on, however much else there is: each of them costs.
 */
const denialRate = (metrics: ProxyMetrics) =>
  new MathExpression({
    label: 'Denials in percent',
    expression: 'IF(denied >= 3000, 100, IF(denied >= 20, 100 * denied / requests, 0))',
    usingMetrics: {
      denied: sumOf(
        'Denials',
        denials.map((reason) => metrics.own('Refusals', reason)),
      ),
      requests: metrics.own('Requests'),
    },
    period: Duration.minutes(5),
  });

/** 0 below a hundred requests, of which the slowest alone would be the p99: a large layer's completion, say. */
const latency = (metrics: ProxyMetrics) =>
  new MathExpression({
    label: 'p99',
    expression: 'IF(requests >= 100, p99, 0)',
    usingMetrics: {
      requests: metrics.api('Count', 'Sum', 'Requests'),
      p99: metrics.api('Latency', 'p99', 'p99'),
    },
    period: Duration.minutes(5),
  });

/** Who throttles: the stage, the account's or the functions' concurrency, and ECR's rates. */
export const throttles = (metrics: ProxyMetrics): MathExpression[] => [
  sumOf('API Gateway', [metrics.gatewayThrottles]),
  sumOf('Lambda', [metrics.functionThrottles]),
  sumOf('ECR', [metrics.own('Refusals', 'ThrottlingException')]),
];

const maxStagedBytes = 10 * 1_073_741_824;
const waitingParts = (maxStagedBytes / partSize).toLocaleString('en-US');

export const alarms = {
  ServerErrors: {
    description: '5 or more answers of 5xx in 5 minutes, twice within 15 minutes.',
    metric: (metrics) => metrics.api('5XXError', 'Sum', '5xx'),
    threshold: 5,
    datapoints: [2, 3],
  },
  Throttles: {
    description:
      '10 or more requests throttled in 5 minutes, by API Gateway, Lambda or ECR, twice within 15 minutes.',
    metric: (metrics) => sumOf('Throttles', throttles(metrics)),
    threshold: 10,
    datapoints: [2, 3],
  },
  Latency: {
    description: '1 % of 100 requests and more took 15 seconds or longer, for 15 minutes; the limit is 29.',
    metric: latency,
    threshold: 15_000,
    datapoints: [3, 3],
  },
  Denials: {
    description:
      'A quarter of the requests and 20 or more in 5 minutes, or 3,000 in 5 minutes, had no valid token or no permission, twice within 15 minutes.',
    metric: denialRate,
    threshold: 25,
    datapoints: [2, 3],
  },
  Configuration: {
    description:
      'The secret has an odd member, or an issuer’s keys are not where its configuration says: its clients are refused until somebody mends it.',
    metric: (metrics) => metrics.own('ConfigurationFaults'),
    threshold: 1,
    datapoints: [1, 1],
  },
  Policies: {
    description:
      'A policy, or Cedar’s engine, failed in 1 decision or more in 5 minutes, which was a denial.',
    metric: (metrics) => metrics.own('PolicyErrors'),
    threshold: 1,
    datapoints: [1, 1],
  },
  StagingGrowth: {
    description: `The staging bucket holds 10 GiB or more: ${waitingParts} waiting parts, which live for two days at most.`,
    metric: (metrics) => metrics.stagedBytes,
    threshold: maxStagedBytes,
    datapoints: [1, 1],
  },
} as const satisfies Record<string, AlarmRow<ProxyMetrics>>;

export type AlarmName = keyof typeof alarms;

export class Alarms extends AlarmTable<ProxyMetrics> {
  constructor(scope: Construct, id: string, metrics: ProxyMetrics, topic: ITopic | undefined) {
    const { serviceName } = metrics;
    super(scope, id, { rows: alarms, metrics, serviceName, topic, page: 'docs/operations.md' });
  }
}

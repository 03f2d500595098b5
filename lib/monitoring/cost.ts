// What the proxy costs, at the prices of us-east-1: the dashboard's estimate.

import { Duration } from 'aws-cdk-lib';
import { MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import { prices } from './prices.ts';
import { type ProxyMetrics, sumOf } from './proxy-metrics.ts';

const period = Duration.minutes(5);
const tebibyte = 1_099_511_627_776;

/** CloudWatch's expressions know no exponents. */
const decimal = (price: number) => price.toFixed(10);

/** What each service takes: a graph of these adds up to the whole. */
export function costs(metrics: ProxyMetrics, memorySizeMegabytes: number): MathExpression[] {
  const gigabytes = memorySizeMegabytes / 1_024;
  const calls = (upstream: string) => metrics.own('UpstreamLatency', upstream, 'SampleCount');
  return [
    new MathExpression({
      label: 'API Gateway',
      expression: `requests * ${decimal(prices.apiRequest)}`,
      usingMetrics: { requests: metrics.api('Count', 'Sum', 'Requests') },
      period,
    }),
    new MathExpression({
      label: 'Lambda',
      expression: `invocations * ${decimal(prices.lambdaRequest)} + milliseconds / 1000 * ${gigabytes} * ${decimal(prices.lambdaGigabyteSecond)}`,
      usingMetrics: {
        invocations: metrics.lambda('Invocations', 'Invocations'),
        milliseconds: metrics.lambda('Duration', 'Duration'),
      },
      period,
    }),
    new MathExpression({
      label: 'S3',
      expression: `puts * ${decimal(prices.s3Put)} + reads * ${decimal(prices.s3Get)}`,
      usingMetrics: {
        puts: sumOf('Puts', [calls('s3:PutObject')]),
        reads: sumOf('Reads', [calls('s3:GetObject'), calls('s3:HeadObject')]),
      },
      period,
    }),
  ];
}

/** A GiB costs less than a cent, which CloudWatch would show as a power of ten. */
export const costPerTebibyte = (metrics: ProxyMetrics, memorySizeMegabytes: number): MathExpression =>
  new MathExpression({
    label: 'USD per TiB',
    expression: `total / bytes * ${tebibyte}`,
    usingMetrics: { total: totalCost(metrics, memorySizeMegabytes), bytes: metrics.own('Bytes') },
    period,
  });

export const totalCost = (metrics: ProxyMetrics, memorySizeMegabytes: number): MathExpression =>
  sumOf('USD', costs(metrics, memorySizeMegabytes));

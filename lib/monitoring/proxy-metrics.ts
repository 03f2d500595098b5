// The proxy's metrics as CloudWatch has them: its own, API Gateway's, Lambda's and S3's.

import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { type MetricName, metrics, metricsNamespace } from '../../api/metrics.ts';
import type { ProxyFunction } from '../functions/proxy-function.ts';

const fiveMinutes = Duration.minutes(5);

export type ProxyMetricsProps = {
  serviceName: string;
  /** Of the API that is called as the service is. */
  stageName: string;
  functions: readonly ProxyFunction[];
  stagingBucket: Bucket;
  /** API Gateway's own 429s, and Lambda's, from the access log. */
  gatewayThrottles: Metric;
  functionThrottles: Metric;
};

/** Adds up metrics under one label, of which the names within the expression come; a gap counts as nothing. */
export function sumOf(label: string, using: readonly IMetric[]): MathExpression {
  const prefix = label.toLowerCase().replaceAll(/[^a-z]/g, '');
  const named = Object.fromEntries(using.map((metric, index) => [`${prefix}${index}`, metric]));
  const filled = Object.keys(named).map((name) => `FILL(${name}, 0)`);
  return new MathExpression({
    label,
    expression: `SUM([${filled.join(', ')}])`,
    usingMetrics: named,
    period: fiveMinutes,
  });
}

export class ProxyMetrics {
  readonly #props: ProxyMetricsProps;

  constructor(props: ProxyMetricsProps) {
    this.#props = props;
  }

  /** One of the functions' own, for the whole proxy or for one value of its other dimension. */
  own(name: MetricName, value?: string, statistic: string = Stats.SUM): Metric {
    return new Metric({
      namespace: metricsNamespace,
      metricName: name,
      dimensionsMap: {
        service: this.#props.serviceName,
        ...(value !== undefined && { [metrics[name].by]: value }),
      },
      label: value ?? name,
      statistic,
      period: fiveMinutes,
    });
  }

  /**
   * Every value of a metric's other dimension that occurs in the time that is looked at. What is counted is
   * nothing in between; a time that was not measured is a gap.
   */
  every(name: MetricName, statistic: string = Stats.SUM): MathExpression {
    const { by } = metrics[name];
    const schema = `{${metricsNamespace},${by},service}`;
    const search = `SEARCH('${schema} MetricName="${name}" service="${this.#props.serviceName}"', '${statistic}')`;
    const found = `REMOVE_EMPTY(${search})`;
    const isCount = statistic === Stats.SUM;
    return new MathExpression({
      // CloudWatch puts in the dimension's value, and the sum or the worst of it.
      label: `\${PROP('Dim.${by}')} \${${isCount ? 'SUM' : 'MAX'}}`,
      expression: isCount ? `FILL(${found}, 0)` : found,
      usingMetrics: {},
      period: fiveMinutes,
    });
  }

  api(metricName: 'Count' | '4XXError' | '5XXError' | 'Latency', statistic: string, label: string): Metric {
    const { serviceName, stageName } = this.#props;
    return new Metric({
      namespace: 'AWS/ApiGateway',
      metricName,
      dimensionsMap: { ApiName: serviceName, Stage: stageName },
      label,
      statistic,
      period: fiveMinutes,
    });
  }

  lambda(metricName: 'Invocations' | 'Duration' | 'Errors', label: string): MathExpression {
    const options = { statistic: Stats.SUM, period: fiveMinutes };
    return sumOf(
      label,
      this.#props.functions.map(({ lambda }) => lambda.metric(metricName, options)),
    );
  }

  get serviceName(): string {
    return this.#props.serviceName;
  }

  get gatewayThrottles(): Metric {
    return this.#props.gatewayThrottles;
  }

  get functionThrottles(): Metric {
    return this.#props.functionThrottles;
  }

  /** Written by S3 once a day. */
  get stagedBytes(): Metric {
    return new Metric({
      namespace: 'AWS/S3',
      metricName: 'BucketSizeBytes',
      dimensionsMap: { BucketName: this.#props.stagingBucket.bucketName, StorageType: 'StandardStorage' },
      label: 'Staged bytes',
      statistic: Stats.AVERAGE,
      period: Duration.days(1),
    });
  }
}

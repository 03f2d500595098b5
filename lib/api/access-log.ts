// The API's access log: one line of JSON per request, those that no function ever saw among them; no token.

import { Duration, type RemovalPolicy } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { FilterPattern, LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { metricsNamespace } from '../../api/metrics.ts';

/** No header, no query, no path with its upload id: nothing that a client could have put a token in. */
const fields = {
  requestId: '$context.requestId',
  extendedRequestId: '$context.extendedRequestId',
  requestTime: '$context.requestTimeEpoch',
  sourceIp: '$context.identity.sourceIp',
  // Not its subject: whatever is in that would stand in the line as it is.
  clientCertificate: '$context.identity.clientCert.serialNumber',
  method: '$context.httpMethod',
  route: '$context.resourcePath',
  status: '$context.status',
  responseBytes: '$context.responseLength',
  latencyMs: '$context.responseLatency',
  functionStatus: '$context.integration.status',
  functionLatencyMs: '$context.integration.latency',
  responseType: '$context.error.responseType',
  wafStatus: '$context.waf.status',
  traceId: '$context.xrayTraceId',
};

export const accessLogFormat = AccessLogFormat.custom(JSON.stringify(fields));

export type AccessLogProps = {
  logRetention: RetentionDays;
  removalPolicy: RemovalPolicy;
  encryptionKey: IKey | undefined;
  serviceName: string;
};

export class AccessLog extends LogGroup {
  /** Requests that the stage’s own throttling refused: API Gateway has no metric of its own for them. */
  readonly throttles: Metric;
  /**
   * Requests for which Lambda had no instance: one metric, where Lambda's own are one for each function, and an alarm
   * looks at ten at most.
   */
  readonly functionThrottles: Metric;

  constructor(scope: Construct, id: string, props: AccessLogProps) {
    const { logRetention, removalPolicy, encryptionKey } = props;
    super(scope, id, {
      retention: logRetention,
      removalPolicy,
      ...(encryptionKey && { encryptionKey }),
    });
    const count = (id: string, field: string, value: string, metricName: string, label: string) =>
      this.addMetricFilter(id, {
        filterPattern: FilterPattern.stringValue(field, '=', value),
        // A filter's metric can have no fixed dimension: the service is in the namespace instead.
        metricNamespace: `${metricsNamespace}/${props.serviceName}`,
        metricName,
        metricValue: '1',
        defaultValue: 0,
      }).metric({ statistic: 'Sum', label, period: Duration.minutes(5) });
    this.throttles = count('Throttles', '$.responseType', 'THROTTLED', 'GatewayThrottles', 'API Gateway');
    // What Lambda answers API Gateway, not what the function says. Source: the API Gateway developer guide,
    // "Variables for access logging", $context.integration.status.
    this.functionThrottles = count(
      'FunctionThrottles',
      '$.functionStatus',
      '429',
      'FunctionThrottles',
      'Lambda',
    );
  }
}

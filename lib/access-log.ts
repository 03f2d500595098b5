// The API's access log: one line of JSON per request, those that no function ever saw among them; no token.

import type { RemovalPolicy } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

/** No header, no query, no path with its upload id: nothing that a client could have put a token in. */
const fields = {
  requestId: '$context.requestId',
  extendedRequestId: '$context.extendedRequestId',
  requestTime: '$context.requestTimeEpoch',
  sourceIp: '$context.identity.sourceIp',
  clientCertificate: '$context.identity.clientCert.subjectDN',
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
};

export class AccessLog extends LogGroup {
  constructor(scope: Construct, id: string, { logRetention, removalPolicy, encryptionKey }: AccessLogProps) {
    super(scope, id, {
      retention: logRetention,
      removalPolicy,
      ...(encryptionKey && { encryptionKey }),
    });
  }
}

// The environment of every process that serves clients: `lambda/environment.ts` reads it.

import { Aws } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { metricsNamespace } from '../../api/metrics.ts';
import { type Configuration, configuredRegistries } from '../configuration/configuration.ts';
import { policyDirectoryName } from '../policies.ts';
import type { ProxySecret } from '../proxy-secret.ts';

export type ProxyEnvironmentProps = Pick<Configuration, 'repositories' | 'issuers' | 'sessionTokens'> & {
  registryIds: readonly string[];
  registryAliases: readonly string[];
  /** Undefined where parts go to ECR directly. */
  stagingBucket: Bucket | undefined;
  secret: ProxySecret;
  /** Where quotas are declared. */
  quotaTable: Table | undefined;
  /** The dimension that separates this proxy's metrics from another's. */
  serviceName: string;
};

export function proxyEnvironment(props: ProxyEnvironmentProps): Record<string, string> {
  const { registryIds, registryAliases } = props;
  return {
    ...(props.stagingBucket && { STAGING_BUCKET: props.stagingBucket.bucketName }),
    SECRET_ID: props.secret.secretArn,
    POLICY_DIRECTORY: policyDirectoryName,
    REGISTRY_ID: Aws.ACCOUNT_ID,
    ...(registryIds.length > 0 && { REGISTRY_IDS: registryIds.join(',') }),
    ...(registryAliases.length > 0 && { REGISTRY_ALIASES: registryAliases.join(',') }),
    ...(props.quotaTable && { QUOTA_TABLE: props.quotaTable.tableName }),
    ...(props.sessionTokens && { SESSION_TOKEN_MINUTES: String(props.sessionTokens.maxMinutes) }),
    ISSUERS: JSON.stringify(props.issuers),
    REGISTRIES: configuredRegistries(props).join(','),
    POWERTOOLS_SERVICE_NAME: props.serviceName,
    POWERTOOLS_METRICS_NAMESPACE: metricsNamespace,
    POWERTOOLS_LOG_LEVEL: 'INFO',
  };
}

// A Lambda function of the proxy, with its own role and its own log group.

import { join } from 'node:path';
import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Architecture, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { integrationTimeoutMs } from '../lambda/limits.ts';
import type { OperationName } from '../lambda/operations.ts';
import { bundling } from './bundling.ts';
import { type Configuration, configuredRegistries } from './configuration.ts';
import { FunctionRole } from './function-role.ts';
import { policyDirectory } from './policies.ts';
import { projectRoot } from './project-root.ts';

export type ProxyFunctionProps = {
  /** The file in lambda/handlers/, without its ending. */
  handler: string;
  /** What the function serves, and may therefore do. */
  operations: readonly OperationName[];
  configuration: Configuration;
  stagingBucket: Bucket;
  secret: Secret;
};

export class ProxyFunction extends Construct {
  readonly lambda: NodejsFunction;

  constructor(scope: Construct, id: string, props: ProxyFunctionProps) {
    super(scope, id);
    const { handler, operations, configuration, stagingBucket, secret } = props;

    // Kept when the stack goes, until its retention ends: it says who pushed what.
    const logGroup = new LogGroup(this, 'LogGroup', {
      retention: configuration.logRetentionDays,
      removalPolicy: RemovalPolicy.RETAIN,
    });

    const role = new FunctionRole(this, 'Role', {
      operations,
      repositories: configuration.repositories,
      stagingBucket,
      secret,
      logGroup,
    });

    this.lambda = new NodejsFunction(this, 'Function', {
      description: `ecr-upload-proxy: ${id}`,
      entry: join(projectRoot, 'lambda', 'handlers', `${handler}.ts`),
      projectRoot,
      depsLockFilePath: join(projectRoot, 'package-lock.json'),
      bundling,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: configuration.memorySizeMegabytes,
      // One second before API Gateway gives up, so that a function that hangs is seen as what it is.
      timeout: Duration.millis(integrationTimeoutMs - 1_000),
      tracing: Tracing.ACTIVE,
      logGroup,
      role,
      environment: {
        NODE_OPTIONS: '--enable-source-maps',
        STAGING_BUCKET: stagingBucket.bucketName,
        SECRET_ID: secret.secretArn,
        POLICY_DIRECTORY: policyDirectory,
        REGISTRY_ID: Aws.ACCOUNT_ID,
        ISSUERS: JSON.stringify(configuration.issuers),
        REGISTRIES: configuredRegistries(configuration).join(','),
        POWERTOOLS_SERVICE_NAME: 'ecr-upload-proxy',
        POWERTOOLS_METRICS_NAMESPACE: 'EcrUploadProxy',
        POWERTOOLS_LOG_LEVEL: 'INFO',
        // A response may echo a manifest: traces hold durations, not contents.
        POWERTOOLS_TRACER_CAPTURE_RESPONSE: 'false',
      },
    });
  }
}

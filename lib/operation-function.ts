// One operation's Lambda function, with its own role and its own log group.

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
import type { Configuration } from './configuration.ts';
import { OperationRole } from './operation-role.ts';
import { policyDirectory } from './policies.ts';
import { projectRoot } from './project-root.ts';

export type OperationFunctionProps = {
  operation: OperationName;
  configuration: Configuration;
  stagingBucket: Bucket;
  secret: Secret;
};

/** InitiateLayerUpload lives in lambda/handlers/initiate-layer-upload.ts. */
const handlerFile = (operation: OperationName): string =>
  join(projectRoot, 'lambda', 'handlers', `${operation.replace(/(?<!^)[A-Z]/g, '-$&').toLowerCase()}.ts`);

export class OperationFunction extends Construct {
  readonly operation: OperationName;
  readonly lambda: NodejsFunction;

  constructor(scope: Construct, id: string, props: OperationFunctionProps) {
    super(scope, id);
    const { operation, configuration, stagingBucket, secret } = props;
    this.operation = operation;

    // Kept when the stack goes, until its retention ends: it says who pushed what.
    const logGroup = new LogGroup(this, 'LogGroup', {
      retention: configuration.logRetentionDays,
      removalPolicy: RemovalPolicy.RETAIN,
    });

    const role = new OperationRole(this, 'Role', {
      operation,
      repositories: configuration.repositories,
      stagingBucket,
      secret,
      logGroup,
    });

    this.lambda = new NodejsFunction(this, 'Function', {
      description: `ecr-upload-proxy: ${operation}`,
      entry: handlerFile(operation),
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
        POWERTOOLS_SERVICE_NAME: 'ecr-upload-proxy',
        POWERTOOLS_METRICS_NAMESPACE: 'EcrUploadProxy',
        POWERTOOLS_LOG_LEVEL: 'INFO',
        // A response may echo a manifest: traces hold durations, not contents.
        POWERTOOLS_TRACER_CAPTURE_RESPONSE: 'false',
      },
    });
  }
}

// A Lambda function of the proxy, with its own role and its own log group.

import { CfnResource, Duration, type RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Architecture, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { integrationTimeoutMs } from '../../api/limits.ts';
import type { OperationName } from '../../api/operations.ts';
import { acknowledgeDependencies } from '../acknowledgements.ts';
import type { PolicyFiles } from '../policies.ts';
import { bundle } from './bundling.ts';
import { functionCode } from './function-code.ts';
import { FunctionRole } from './function-role.ts';
import { type ProxyEnvironmentProps, proxyEnvironment } from './proxy-environment.ts';

/** What all that serves clients has in common, whatever it runs on. */
export type SharedProps = ProxyEnvironmentProps & {
  /** Those that were checked. */
  policies: PolicyFiles;
  encryptionKey: IKey | undefined;
  logRetention: RetentionDays;
  removalPolicy: RemovalPolicy;
};

/** What all functions of a proxy have in common. */
export type SharedFunctionProps = SharedProps & { memorySize: number };

export type ProxyFunctionProps = SharedFunctionProps & {
  /** The export of lambda/handlers.ts. */
  handler: string;
  /** What the function serves, and may therefore do; none for one that only exchanges tokens. */
  operations: readonly OperationName[];
  reservedConcurrentExecutions: number | undefined;
};

export class ProxyFunction extends Construct {
  readonly lambda: LambdaFunction;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: ProxyFunctionProps) {
    super(scope, id);
    const { encryptionKey, reservedConcurrentExecutions } = props;

    // By default kept when the stack goes, until its retention ends: it says who pushed what.
    this.logGroup = new LogGroup(this, 'LogGroup', {
      retention: props.logRetention,
      removalPolicy: props.removalPolicy,
      ...(encryptionKey && { encryptionKey }),
    });

    const { code, assertStaged } = functionCode(this, () => bundle(props.policies));
    this.lambda = new LambdaFunction(this, 'Function', {
      description: `ecr-upload-proxy: ${id}`,
      code,
      handler: `index.${props.handler}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: props.memorySize,
      ...(reservedConcurrentExecutions !== undefined && { reservedConcurrentExecutions }),
      // One second before API Gateway gives up, so that a function that hangs is seen as what it is.
      timeout: Duration.millis(integrationTimeoutMs - 1_000),
      tracing: Tracing.ACTIVE,
      logGroup: this.logGroup,
      role: new FunctionRole(this, 'Role', { ...props, logGroups: [this.logGroup] }),
      environment: {
        NODE_OPTIONS: '--enable-source-maps',
        ...proxyEnvironment(props),
        // A response may echo a manifest: traces hold durations, not contents.
        POWERTOOLS_TRACER_CAPTURE_RESPONSE: 'false',
      },
    });
    assertStaged(this.lambda);
    const definition = this.lambda.node.defaultChild;
    if (CfnResource.isCfnResource(definition)) {
      acknowledgeDependencies(definition);
    }
  }
}

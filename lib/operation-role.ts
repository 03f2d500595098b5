// What one function may do: its operation's actions, on the configured repositories, and nothing else.

import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { type OperationName, operations } from '../lambda/operations.ts';
import type { Registry } from '../lambda/registries.ts';
import { type Configuration, configuredRegistries } from './configuration.ts';

export type OperationRoleProps = Pick<Configuration, 'repositories'> & {
  operation: OperationName;
  stagingBucket: Bucket;
  secret: Secret;
  logGroup: LogGroup;
};

/** X-Ray's two actions, which know no resource but `*`, are added by the function that turns tracing on. */
export class OperationRole extends Role {
  constructor(scope: Construct, id: string, props: OperationRoleProps) {
    const { operation, repositories, stagingBucket, secret, logGroup } = props;
    super(scope, id, {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `ecr-upload-proxy: what ${operation} may do.`,
    });
    const allow = (actions: readonly string[], resources: string[]) =>
      this.addToPolicy(new PolicyStatement({ actions: [...actions], resources }));

    const row = operations[operation];
    const registryNames = configuredRegistries(props);

    for (const registry of registryNames) {
      allow(
        row.iamActions.map((action) => `${registry}:${action}`),
        (repositories[registry] ?? []).map((name) => this.#repositoryArn(registry, name)),
      );
    }
    if (row.stagingActions.length > 0) {
      allow(
        row.stagingActions,
        registryNames.map((registry) => stagingBucket.arnForObjects(`${registry}/*`)),
      );
      // Without it S3 answers 403 instead of 404 for an object that is not there, and "nothing waits" is
      // what GetObject is asked most. Source: the Amazon S3 API reference, GetObject, "Permissions".
      allow(['s3:ListBucket'], [stagingBucket.bucketArn]);
    }
    allow(['secretsmanager:GetSecretValue'], [secret.secretArn]);
    allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn]);
  }

  /** Public repositories have no region in their ARN. Source: the Service Authorization Reference. */
  #repositoryArn(registry: Registry, resourceName: string): string {
    return Stack.of(this).formatArn({
      service: registry,
      ...(registry === 'ecr-public' && { region: '' }),
      resource: 'repository',
      resourceName,
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
  }
}

// What one function may do: its operations' actions, on the configured repositories, and nothing else.

import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { type OperationName, operations } from '../lambda/operations.ts';
import type { Registry } from '../lambda/registries.ts';
import { type Configuration, configuredRegistries } from './configuration.ts';

export type FunctionRoleProps = Pick<Configuration, 'repositories'> & {
  operations: readonly OperationName[];
  stagingBucket: Bucket;
  secret: Secret;
  /** Where quotas are declared. */
  quotaTable: Table | undefined;
  logGroup: LogGroup;
};

const distinct = (actions: readonly string[]) => [...new Set(actions)];

/** X-Ray's two actions, which know no resource but `*`, are added by the function that turns tracing on. */
export class FunctionRole extends Role {
  constructor(scope: Construct, id: string, props: FunctionRoleProps) {
    const { repositories, stagingBucket, secret, logGroup, quotaTable } = props;
    super(scope, id, {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `ecr-upload-proxy: what may be done for ${props.operations.join(', ')}.`,
    });
    const allow = (actions: readonly string[], resources: string[]) =>
      this.addToPolicy(new PolicyStatement({ actions: [...actions], resources }));

    const rows = props.operations.map((operation) => operations[operation]);
    const ecrActions = distinct(rows.flatMap(({ iamActions }) => iamActions));
    const stagingActions = distinct(rows.flatMap((row) => row.stagingActions));
    const registryNames = configuredRegistries(props);

    for (const registry of registryNames) {
      allow(
        ecrActions.map((action) => `${registry}:${action}`),
        (repositories[registry] ?? []).map((name) => this.#repositoryArn(registry, name)),
      );
    }
    if (stagingActions.length > 0) {
      allow(
        stagingActions,
        registryNames.map((registry) => stagingBucket.arnForObjects(`${registry}/*`)),
      );
      // Without it S3 answers 403 instead of 404 for an object that is not there, and "nothing waits" is
      // what GetObject is asked most. Source: the Amazon S3 API reference, GetObject, "Permissions".
      allow(['s3:ListBucket'], [stagingBucket.bucketArn]);
    }
    const quotaActions = distinct(rows.flatMap((row) => row.quotaActions));
    if (quotaTable && quotaActions.length > 0) allow(quotaActions, [quotaTable.tableArn]);
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

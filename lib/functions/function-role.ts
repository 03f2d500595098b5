// What one function, or one server, may do: its operations' actions, on the configured repositories, and nothing else.

import { ArnFormat, Aws, Stack } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { type IPrincipal, ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { isOffered, type OperationName, operations } from '../../api/operations.ts';
import { acknowledgeWildcards } from '../acknowledgements.ts';
import { configuredRegistries } from '../configuration/configuration.ts';
import type { ProxySecret } from '../proxy-secret.ts';
import {
  areInline,
  type Repository,
  type RepositoryAccess,
  repositoriesOf,
  splitIntoPolicies,
} from './repository-policies.ts';

export type FunctionRoleProps = RepositoryAccess & {
  operations: readonly OperationName[];
  /** @default Lambda */
  assumedBy?: IPrincipal;
  /** Undefined where parts go to ECR directly. */
  stagingBucket: Bucket | undefined;
  secret: ProxySecret;
  /** Where quotas are declared. */
  quotaTable: Table | undefined;
  /** None where another role writes the log. */
  logGroups: readonly LogGroup[];
  encryptionKey: IKey | undefined;
};

const distinct = (actions: readonly string[]) => [...new Set(actions)];

/** What KMS is asked for on behalf of a role by S3. Source: the Amazon S3 user guide, "Using SSE-KMS". */
const kmsActionsOf: Readonly<Record<string, readonly string[]>> = {
  's3:GetObject': ['kms:Decrypt'],
  's3:PutObject': ['kms:GenerateDataKey'],
};

/** X-Ray's two actions, which know no resource but `*`, are added by the function that turns tracing on. */
export class FunctionRole extends Role {
  constructor(scope: Construct, id: string, props: FunctionRoleProps) {
    const { stagingBucket, secret, quotaTable, logGroups, encryptionKey } = props;
    super(scope, id, {
      assumedBy: props.assumedBy ?? new ServicePrincipal('lambda.amazonaws.com'),
      description: `ecr-upload-proxy: what may be done for ${props.operations.join(', ') || 'session tokens'}.`,
    });
    const allow = (actions: readonly string[], resources: string[]) =>
      this.addToPolicy(new PolicyStatement({ actions: [...actions], resources }));

    const rows = props.operations.map((operation) => operations[operation]);
    const stagingActions = stagingBucket ? distinct(rows.flatMap((row) => row.stagingActions)) : [];
    const registryNames = configuredRegistries(props);

    const repositories = repositoriesOf(props).filter(({ registry }) =>
      props.operations.some((operation) => isOffered({ operation, registry })),
    );
    for (const [index, list] of splitIntoPolicies(repositories).entries()) {
      const statement = this.#reach(list, props.operations);
      if (areInline(repositories)) {
        this.addToPolicy(statement);
      } else {
        new ManagedPolicy(this, `Repositories${index + 1}`, { statements: [statement], roles: [this] });
      }
    }
    acknowledgeWildcards(this, ['*'], 'X-Ray’s actions know no other resource.');
    if (stagingBucket && stagingActions.length > 0) {
      const objectArns = registryNames.map((registry) => stagingBucket.arnForObjects(`${registry}/*`));
      allow(stagingActions, objectArns);
      acknowledgeWildcards(
        this,
        objectArns,
        'An object’s key is made of its upload, which no role can foresee.',
      );
      // Without it S3 answers 403 instead of 404 for an object that is not there, and "nothing waits" is
      // what GetObject is asked most. A condition on s3:prefix would undo it: GetObject has none.
      // Source: the Amazon S3 API reference, GetObject, "Permissions".
      allow(['s3:ListBucket'], [stagingBucket.bucketArn]);
    }
    const quotaActions = distinct(rows.flatMap((row) => row.quotaActions));
    if (quotaTable && quotaActions.length > 0) {
      allow(quotaActions, [quotaTable.tableArn]);
    }
    allow(['secretsmanager:GetSecretValue'], [secret.arnPattern]);
    if (logGroups.length > 0) {
      const logGroupArns = logGroups.map(({ logGroupArn }) => logGroupArn);
      allow(['logs:CreateLogStream', 'logs:PutLogEvents'], logGroupArns);
    }
    if (encryptionKey) {
      this.#allowVia('secretsmanager', ['kms:Decrypt'], encryptionKey);
      const kmsActions = distinct(stagingActions.flatMap((action) => kmsActionsOf[action] ?? []));
      if (kmsActions.length > 0) {
        this.#allowVia('s3', kmsActions, encryptionKey);
      }
    }
  }

  /** @param list of one registry */
  #reach(list: readonly Repository[], served: readonly OperationName[]): PolicyStatement {
    const resources = list.map((repository) => this.#repositoryArn(repository));
    acknowledgeWildcards(this, resources, 'The operator names repositories by pattern.');
    const actions = list
      .slice(0, 1)
      .flatMap(({ registry }) =>
        served
          .filter((operation) => isOffered({ operation, registry }))
          .flatMap((operation) => operations[operation].iamActions.map((action) => `${registry}:${action}`)),
      );
    return new PolicyStatement({ actions: distinct(actions), resources });
  }

  /**
   * The key through one service alone: with the role's credentials nothing can be decrypted directly. By the key's
   * own ARN, which is narrower than a condition on an alias, and which log groups need anyway: they take no alias.
   */
  #allowVia(service: string, actions: readonly string[], key: IKey): void {
    const viaService = `${service}.${Aws.REGION}.${Aws.URL_SUFFIX}`;
    this.addToPolicy(
      new PolicyStatement({
        actions: [...actions],
        resources: [key.keyArn],
        conditions: { StringEquals: { 'kms:ViaService': viaService } },
      }),
    );
  }

  /** Public repositories have no region in their ARN. Source: the Service Authorization Reference. */
  #repositoryArn({ registry, account, name }: Repository): string {
    return Stack.of(this).formatArn({
      service: registry,
      account,
      ...(registry === 'ecr-public' && { region: '' }),
      resource: 'repository',
      resourceName: name,
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
  }
}

// What the server may do: the functions' actions on the same repositories, and protecting its own task.

import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { type IPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { operationNames } from '../../api/operations.ts';
import type { Registry } from '../../api/registries.ts';
import { acknowledgeWildcards } from '../acknowledgements.ts';
import { FunctionRole } from '../functions/function-role.ts';
import type { RepositoryAccess } from '../functions/repository-policies.ts';
import type { ProxySecret } from '../proxy-secret.ts';

export type ServerRoleProps = RepositoryAccess & {
  /** The one that is served: the other's repositories are none of its business. */
  registry: Registry;
  secret: ProxySecret;
  quotaTable: Table | undefined;
  encryptionKey: IKey | undefined;
  /** @default Lambda */
  assumedBy?: IPrincipal;
  /** None where another role writes the log. */
  logGroups: readonly LogGroup[];
};

/** Parts go to ECR as they come, so that there is no staging bucket for it. */
export class ServerRole extends FunctionRole {
  constructor(scope: Construct, id: string, { registry, repositories, ...props }: ServerRoleProps) {
    super(scope, id, {
      ...props,
      repositories: { [registry]: repositories[registry] },
      operations: operationNames,
      stagingBucket: undefined,
    });
  }

  /** Its own tasks and no others; the agent in the task asks with this role. */
  allowTaskProtection(taskArns: string): void {
    acknowledgeWildcards(this, [taskArns], 'A task’s id is made when it starts.');
    this.addToPolicy(
      new PolicyStatement({
        actions: ['ecs:GetTaskProtection', 'ecs:UpdateTaskProtection'],
        resources: [taskArns],
      }),
    );
  }
}

// Amazon ECS on behalf of tasks of this account, and of no other: who assumes the roles of a task.

import { ArnFormat, Aws, Stack } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';

/** Source: the Amazon ECS developer guide, "Amazon ECS task IAM role", on the confused deputy. */
export const ecsTasks = (scope: IConstruct): ServicePrincipal =>
  new ServicePrincipal('ecs-tasks.amazonaws.com', {
    conditions: {
      StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
      ArnLike: {
        'aws:SourceArn': Stack.of(scope).formatArn({
          service: 'ecs',
          resource: '*',
          arnFormat: ArnFormat.NO_RESOURCE_NAME,
        }),
      },
    },
  });

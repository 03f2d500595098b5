// Amazon ECS on behalf of tasks of this account, and of no other: who assumes the roles of a task.

import { ArnFormat } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import { sourceConditions } from './source-conditions.ts';

/** Source: the Amazon ECS developer guide, "Amazon ECS task IAM role", on the confused deputy. */
export const ecsTasks = (scope: IConstruct): ServicePrincipal =>
  new ServicePrincipal('ecs-tasks.amazonaws.com', {
    conditions: sourceConditions(scope, {
      service: 'ecs',
      resource: '*',
      arnFormat: ArnFormat.NO_RESOURCE_NAME,
    }),
  });

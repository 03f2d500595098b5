// The service: as many tasks as there are uploads, replaced without cutting any.

import { ArnFormat, CfnResource, Duration, Stack, Validations } from 'aws-cdk-lib';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import {
  AvailabilityZoneRebalancing,
  Cluster,
  ContainerInsights,
  FargatePlatformVersion,
  FargateService,
  PropagatedTagSource,
} from 'aws-cdk-lib/aws-ecs';
import type { IApplicationTargetGroup } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledgeDependencies } from '../acknowledgements.ts';
import type { FargateConfiguration } from './configuration.ts';
import type { Network } from './network.ts';
import { Task, type TaskProps } from './task.ts';
import type { ServerRole } from './task-role.ts';

export type ServiceProps = Omit<TaskProps, 'taskRole'> &
  Pick<FargateConfiguration, 'tasks'> & {
    taskRole: ServerRole;
    network: Network;
    targetGroup: IApplicationTargetGroup;
    /** What one task takes at once. */
    maxUploads: number;
    /** Of one task, in the mean. */
    uploadsInFlight: Metric;
  };

/** Percent: half of a task's capacity is left for clients that arrive while another task starts. */
const targetCpu = 50;
const targetUploads = 0.5;

/** A task that starts is there in a minute; one that goes is missed by nobody for ten. */
const cooldowns = { scaleOutCooldown: Duration.seconds(60), scaleInCooldown: Duration.minutes(10) };

export class Service extends Construct {
  readonly service: FargateService;
  readonly cluster: Cluster;
  readonly executionRole: IRole;

  constructor(scope: Construct, id: string, props: ServiceProps) {
    super(scope, id);
    const { network } = props;
    this.cluster = new Cluster(this, 'Cluster', {
      vpc: network.vpc,
      containerInsightsV2: ContainerInsights.DISABLED,
    });
    Validations.of(this.cluster).acknowledge({
      id: 'AwsSolutions-ECS4',
      reason:
        'CPU, memory, targets and uploads in flight are measured without Container Insights, which costs more than they do.',
    });
    const taskDefinition = new Task(this, 'Task', props);
    this.executionRole = taskDefinition.obtainExecutionRole();
    Validations.of(taskDefinition).acknowledge({
      id: 'AwsSolutions-ECS2',
      reason: 'The environment holds names and limits; what is secret is in Secrets Manager.',
    });
    this.service = new FargateService(this, 'Service', {
      cluster: Cluster.fromClusterAttributes(this, 'Reference', {
        clusterName: this.cluster.clusterName,
        vpc: network.vpc,
        securityGroups: [],
      }),
      taskDefinition,
      platformVersion: FargatePlatformVersion.VERSION1_4,
      assignPublicIp: network.assignPublicIp,
      vpcSubnets: network.taskSubnets,
      securityGroups: [network.taskSecurityGroup],
      // A task goes when another stands in its place.
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { enable: true, rollback: true },
      // After one was lost; a task with uploads is passed over here too.
      availabilityZoneRebalancing: AvailabilityZoneRebalancing.ENABLED,
      healthCheckGracePeriod: Duration.seconds(60),
      // With a read-only root file system nobody could log in anyway.
      enableExecuteCommand: false,
      propagateTags: PropagatedTagSource.SERVICE,
    });
    const definition = this.service.node.defaultChild;
    if (CfnResource.isCfnResource(definition)) {
      // How many there are is the scaling's: a deployment would set it back.
      definition.addPropertyDeletionOverride('DesiredCount');
      // A task that cannot pull its image counts against the deployment, and against the first one most of all.
      definition.node.addDependency(network, this.executionRole);
      acknowledgeDependencies(definition);
    }
    this.service.attachToApplicationTargetGroup(props.targetGroup);
    props.taskRole.allowTaskProtection(this.#taskArns());
    this.#scale(props);
  }

  #taskArns(): string {
    return Stack.of(this).formatArn({
      service: 'ecs',
      resource: 'task',
      resourceName: `${this.cluster.clusterName}/*`,
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
  }

  #scale({ tasks, maxUploads, uploadsInFlight }: ServiceProps): void {
    const scaling = this.service.autoScaleTaskCount({ minCapacity: tasks.min, maxCapacity: tasks.max });
    scaling.scaleOnCpuUtilization('Cpu', { targetUtilizationPercent: targetCpu, ...cooldowns });
    scaling.scaleToTrackCustomMetric('Uploads', {
      metric: uploadsInFlight,
      targetValue: Math.max(1, Math.floor(maxUploads * targetUploads)),
      ...cooldowns,
    });
  }
}

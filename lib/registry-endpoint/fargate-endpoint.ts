// The registry endpoint on ECS Fargate, behind an Application Load Balancer.

import type { Alarm, IAlarm, IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { AlarmTable } from '../monitoring/alarm-table.ts';
import { uploadsIn } from './capacity.ts';
import { type FargateConfiguration, ipv4RangesOf } from './configuration.ts';
import { ecsTasks } from './ecs-tasks.ts';
import { fargateAlarms, fargateWidgets } from './fargate-metrics.ts';
import { fargateRegions } from './fargate-regions.ts';
import type { Host, HostProps } from './host.ts';
import { assertContents } from './image-contents.ts';
import { LoadBalancer } from './load-balancer.ts';
import { Network } from './network.ts';
import { RegionRule } from './region.ts';
import { registryOf, serverEnvironment } from './server-environment.ts';
import { Service } from './service.ts';
import { ServerRole } from './task-role.ts';
import { timesOf } from './times.ts';
import { uploadsInFlight } from './uploads-in-flight.ts';

export class FargateEndpoint extends Construct implements Host {
  readonly registryHost: string;
  readonly domainTarget: string;
  readonly role: IRole;
  readonly logGroup: LogGroup;
  readonly alarms: readonly Alarm[];
  readonly namedAlarms: readonly IAlarm[];
  readonly widgets: IWidget[][];

  constructor(scope: Construct, id: string, endpoint: FargateConfiguration, props: HostProps) {
    super(scope, id);
    const { issuers, quotaTable, encryptionKey, serviceName } = props;
    new RegionRule(this, 'Region', fargateRegions(endpoint));
    assertContents(this, endpoint.image, props.policies);
    const registry = registryOf(endpoint, props.repositories);
    const isInternal =
      (endpoint.scheme ?? (props.isApiPrivate ? 'internal' : 'internet-facing')) === 'internal';
    const times = timesOf(endpoint);
    const maxUploads = uploadsIn(endpoint.memoryMegabytes);
    const logging = {
      retention: props.logRetention,
      removalPolicy: props.removalPolicy,
      ...(encryptionKey && { encryptionKey }),
    };
    this.logGroup = new LogGroup(this, 'LogGroup', logging);

    const network = new Network(this, 'Network', {
      network: endpoint.network,
      cidr: endpoint.vpcCidr,
      isInternal,
      needsInternet: issuers.length > 0 || registry === 'ecr-public',
      issuers,
      logging,
    });
    const { loadBalancer, targetGroup } = new LoadBalancer(this, 'LoadBalancer', {
      ...endpoint,
      network,
      isInternal,
      ipRanges: ipv4RangesOf(endpoint, props.allowedIpRanges),
      times,
    });
    const taskRole = new ServerRole(this, 'TaskRole', {
      ...props,
      registry,
      assumedBy: ecsTasks(this),
      logGroups: [],
    });
    const metric = uploadsInFlight(serviceName);
    const { service, executionRole } = new Service(this, 'Service', {
      ...endpoint,
      network,
      targetGroup,
      taskRole,
      logGroup: this.logGroup,
      environment: {
        ...serverEnvironment(endpoint, props, { ...times, maxUploads }),
        TASK_PROTECTION: 'true',
      },
      times,
      maxUploads,
      uploadsInFlight: metric,
    });
    network.addEndpointsFor({ taskRole, executionRole, quotaTable });
    this.role = taskRole;
    this.registryHost = endpoint.domain.name;
    this.domainTarget = loadBalancer.loadBalancerDnsName;

    const metrics = { loadBalancer, targetGroup, service, uploadsInFlight: metric };
    const alarms = new AlarmTable(this, 'Alarms', {
      rows: fargateAlarms,
      metrics,
      serviceName,
      topic: props.alarmTopic,
      page: 'docs/registry-endpoint.md',
    });
    this.alarms = alarms.all;
    this.namedAlarms = alarms.named;
    this.widgets = fargateWidgets(metrics);
  }
}

// The metrics of the endpoint on Fargate: its load balancer, its tasks, its alarms and its dashboard.

import { Duration } from 'aws-cdk-lib';
import { type IWidget, MathExpression, type Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import {
  type ApplicationLoadBalancer,
  type ApplicationTargetGroup,
  HttpCodeElb,
  HttpCodeTarget,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { AlarmRow } from '../monitoring/alarm-table.ts';
import { sumOf } from '../monitoring/proxy-metrics.ts';
import { graph, heading, third } from '../monitoring/widgets.ts';

export type FargateMetrics = {
  loadBalancer: ApplicationLoadBalancer;
  targetGroup: ApplicationTargetGroup;
  service: FargateService;
  uploadsInFlight: Metric;
};

const fiveMinutes = { statistic: Stats.SUM, period: Duration.minutes(5) };
const ofServer = ({ targetGroup }: FargateMetrics) =>
  targetGroup.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, fiveMinutes);
const ofLoadBalancer = ({ loadBalancer }: FargateMetrics) =>
  loadBalancer.metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT, fiveMinutes);
const memory = ({ service }: FargateMetrics) =>
  service.metricMemoryUtilization({ statistic: Stats.MAXIMUM, period: Duration.minutes(5) });
const cpu = ({ service }: FargateMetrics) =>
  service.metricCpuUtilization({ statistic: Stats.MAXIMUM, period: Duration.minutes(5) });

/** The time until an answer is none to watch: it has the time in which a client sends its layer in it. */
export const fargateAlarms = {
  RegistryServerErrors: {
    description: '10 or more answers of 5xx by the tasks in 5 minutes, twice within 15 minutes.',
    metric: (metrics) => sumOf('5xx', [ofServer(metrics)]),
    threshold: 10,
    datapoints: [2, 3],
  },
  RegistryLoadBalancerErrors: {
    description:
      '5 or more answers of 5xx by the load balancer itself in 5 minutes, twice within 15 minutes.',
    metric: (metrics) => sumOf('5xx', [ofLoadBalancer(metrics)]),
    threshold: 5,
    datapoints: [2, 3],
  },
  RegistryNoHealthyTask: {
    description: 'For 3 minutes no task was healthy.',
    metric: ({ targetGroup }) =>
      new MathExpression({
        label: 'No task',
        expression: 'IF(healthy < 1, 1, 0)',
        usingMetrics: {
          healthy: targetGroup.metrics.healthyHostCount({
            statistic: Stats.MAXIMUM,
            period: Duration.minutes(1),
          }),
        },
        period: Duration.minutes(1),
      }),
    threshold: 1,
    datapoints: [3, 3],
    ringsWithoutData: true,
  },
  RegistryMemory: {
    description: 'A task used 90 % of its memory or more, for 15 minutes.',
    metric: memory,
    threshold: 90,
    datapoints: [3, 3],
  },
} as const satisfies Record<string, AlarmRow<FargateMetrics>>;

export const fargateWidgets = (metrics: FargateMetrics): IWidget[][] => [
  [heading('The registry endpoint')],
  [
    graph('Registry endpoint: uploads in flight', 'in a task', third, [
      metrics.uploadsInFlight.with({ statistic: Stats.AVERAGE, label: 'Mean' }),
      metrics.uploadsInFlight.with({ statistic: Stats.MAXIMUM, label: 'Most' }),
    ]),
    graph('Registry endpoint: CPU and memory', '% of the busiest task', third, [
      cpu(metrics),
      memory(metrics),
    ]),
    graph('Registry endpoint: tasks', 'tasks', third, [
      metrics.targetGroup.metrics.healthyHostCount({ statistic: Stats.MAXIMUM, label: 'Healthy' }),
      metrics.targetGroup.metrics.unhealthyHostCount({ statistic: Stats.MAXIMUM, label: 'Unhealthy' }),
    ]),
  ],
  [
    graph('Registry endpoint: 5xx', 'answers in 5 min', third, [
      sumOf('Tasks', [ofServer(metrics)]),
      sumOf('Load balancer', [ofLoadBalancer(metrics)]),
    ]),
    graph('Registry endpoint: refused by the load balancer', 'answers in 5 min', third, [
      metrics.loadBalancer.metrics.httpCodeElb(HttpCodeElb.ELB_4XX_COUNT, { ...fiveMinutes, label: '4xx' }),
    ]),
    graph('Registry endpoint: bytes', 'bytes in 5 min', third, [
      metrics.loadBalancer.metrics.processedBytes({ ...fiveMinutes, label: 'In and out' }),
    ]),
  ],
];

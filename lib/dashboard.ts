// The dashboard: is it working, who is pushing, what is refused, what does it cost.

import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Color,
  Dashboard,
  GraphWidget,
  type IAlarm,
  type IMetric,
  type IWidget,
  LogQueryVisualizationType,
  LogQueryWidget,
  SingleValueWidget,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { alarms as alarmTable } from './alarms.ts';
import { costPerGibibyte, costs, totalCost } from './cost.ts';
import type { ProxyMetrics } from './proxy-metrics.ts';

export type ProxyDashboardProps = {
  dashboardName: string;
  metrics: ProxyMetrics;
  alarms: readonly IAlarm[];
  functionLogs: readonly LogGroup[];
  accessLog: LogGroup;
  memorySizeMegabytes: number;
};

/** CloudWatch's grid has 24 columns. */
const wide = 24;
const half = 12;
const third = 8;
const height = 6;

const heading = (text: string) => new TextWidget({ markdown: `## ${text}`, width: wide, height: 1 });

/** @param unit of the axis; what is counted is counted per point of the graph */
const graph = (title: string, unit: string, width: number, left: IMetric[], more: object = {}) =>
  new GraphWidget({
    title,
    width,
    height,
    left,
    leftYAxis: { label: unit, min: 0, showUnits: false },
    ...more,
  });

const table = (title: string, width: number, logs: readonly LogGroup[], queryLines: string[]) =>
  new LogQueryWidget({
    title,
    width,
    height,
    view: LogQueryVisualizationType.TABLE,
    logGroupNames: logs.map(({ logGroupName }) => logGroupName),
    queryLines,
  });

const latencyAlarm = {
  value: alarmTable.Latency.threshold,
  label: 'alarm',
  color: Color.RED,
};

const isItWorking = ({ metrics, alarms }: ProxyDashboardProps): IWidget[][] => [
  [heading('Is it working?')],
  [
    new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: third, height }),
    graph('Requests and errors', 'requests', third, [
      metrics.api('Count', 'Sum', 'Requests'),
      metrics.api('4XXError', 'Sum', '4xx').with({ color: Color.ORANGE }),
      metrics.api('5XXError', 'Sum', '5xx').with({ color: Color.RED }),
    ]),
    graph(
      'Latency',
      'ms',
      third,
      [metrics.api('Latency', 'p50', 'p50'), metrics.api('Latency', 'p99', 'p99')],
      { leftAnnotations: [latencyAlarm] },
    ),
  ],
  [
    graph('Functions: errors and throttles', 'invocations', third, [
      metrics.lambda('Errors', 'Errors'),
      metrics.lambda('Throttles', 'Throttles'),
    ]),
    graph('Calls to ECR and S3: p99', 'ms', third, [metrics.every('UpstreamLatency', 'p99')]),
    graph('Calls to ECR and S3: faults', 'calls', third, [metrics.every('UpstreamErrors')]),
  ],
];

const whoIsPushing = ({ metrics, functionLogs }: ProxyDashboardProps): IWidget[][] => [
  [heading('Who is pushing?')],
  [
    table('Clients, by bytes', half, functionLogs, [
      'filter message = "request" and decision = "allow" and status < 300',
      'stats sum(bytes) as bytes, count(*) as requests by principal, repositoryName',
      'sort bytes desc',
      'limit 20',
    ]),
    table('Latest images', half, functionLogs, [
      'filter message = "request" and operation = "PutImage" and status < 300',
      'fields @timestamp, principal, registry, repositoryName, imageTag, imageDigest',
      'sort @timestamp desc',
      'limit 20',
    ]),
  ],
  [
    graph('Layer bytes', 'bytes', half, [metrics.own('Bytes')]),
    graph('Joins and resumes', 'parts', half, [metrics.own('PartJoins'), metrics.own('Resumes')]),
  ],
];

const whatIsRefused = ({ metrics, functionLogs, accessLog }: ProxyDashboardProps): IWidget[][] => [
  [heading('What is refused?')],
  [
    graph('Refusals, by reason', 'requests', third, [metrics.every('Refusals')], { stacked: true }),
    table('Refusals, by client', third, functionLogs, [
      'filter message = "request" and ispresent(code)',
      'stats count(*) as refusals by code, principal, operation',
      'sort refusals desc',
      'limit 20',
    ]),
    table(
      'Refused by API Gateway',
      third,
      [accessLog],
      [
        'filter responseType != "-" and ispresent(responseType)',
        'stats count(*) as refusals by responseType, status, sourceIp',
        'sort refusals desc',
        'limit 20',
      ],
    ),
  ],
];

const whatDoesItCost = ({ metrics, memorySizeMegabytes }: ProxyDashboardProps): IWidget[][] => [
  [heading('What does it cost? (an estimate at list prices: docs/operations.md)')],
  [
    new SingleValueWidget({
      title: 'USD in this time, and per GiB',
      metrics: [totalCost(metrics, memorySizeMegabytes), costPerGibibyte(metrics, memorySizeMegabytes)],
      setPeriodToTimeRange: true,
      width: third,
      height,
    }),
    graph('USD, by service', 'USD', third, costs(metrics, memorySizeMegabytes), { stacked: true }),
    graph('Staged bytes', 'bytes', third, [metrics.stagedBytes]),
  ],
];

export class ProxyDashboard extends Dashboard {
  constructor(scope: Construct, id: string, props: ProxyDashboardProps) {
    super(scope, id, {
      dashboardName: props.dashboardName,
      defaultInterval: Duration.days(1),
      widgets: [isItWorking, whoIsPushing, whatIsRefused, whatDoesItCost].flatMap((section) =>
        section(props),
      ),
    });
  }
}

// The dashboard: is it working, who is pushing, what is refused, what does it cost.

import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  AlarmStatusWidgetSortBy,
  Color,
  Dashboard,
  type IAlarm,
  type IMetric,
  type IWidget,
  MathExpression,
  PeriodOverride,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { type AlarmName, alarms, throttles } from './alarms.ts';
import { costPerTebibyte, costs, totalCost } from './cost.ts';
import { type ProxyMetrics, sumOf } from './proxy-metrics.ts';
import { graph, half, heading, height, numbers, table, third, wide } from './widgets.ts';

export type ProxyDashboardProps = {
  dashboardName: string;
  metrics: ProxyMetrics;
  alarms: readonly IAlarm[];
  functionLogs: readonly LogGroup[];
  accessLog: LogGroup;
  memorySizeMegabytes: number;
  /** Rows of the registry endpoint, before what it costs. */
  registryEndpoint: IWidget[][];
};

const ofRegistryEndpoint = ({ registryEndpoint }: ProxyDashboardProps): IWidget[][] => registryEndpoint;

/** What an alarm looks at, with its threshold drawn in. */
const watched = (name: AlarmName, title: string, unit: string, left: readonly IMetric[], more = {}) =>
  graph(title, unit, third, left, {
    leftAnnotations: [{ value: alarms[name].threshold, label: `alarm ${name}`, color: Color.RED }],
    ...more,
  });

function atAGlance({ metrics, memorySizeMegabytes }: ProxyDashboardProps): IMetric[] {
  const requests = metrics.api('Count', 'Sum', 'Requests');
  const faults = metrics.api('5XXError', 'Sum', '5xx');
  return [
    requests,
    new MathExpression({
      label: '% without 5xx',
      expression: '100 - 100 * FILL(faults, 0) / requests',
      usingMetrics: { faults, requests },
    }),
    sumOf('Refused by the functions', [metrics.own('Refusals')]),
    sumOf('Throttled by API Gateway', [metrics.gatewayThrottles]),
    new MathExpression({
      label: 'GiB of layers',
      expression: 'FILL(bytes, 0) / 1073741824',
      usingMetrics: { bytes: metrics.own('Bytes') },
    }),
    totalCost(metrics, memorySizeMegabytes),
  ];
}

function isItWorking(props: ProxyDashboardProps): IWidget[][] {
  const { metrics, functionLogs } = props;
  return [
    [heading('Is it working?')],
    [numbers('In this time', atAGlance(props), { width: wide, height: 3 })],
    [
      new AlarmStatusWidget({
        title: 'Alarms',
        alarms: [...props.alarms],
        // Those that ring come first.
        sortBy: AlarmStatusWidgetSortBy.STATE_UPDATED_TIMESTAMP,
        width: third,
        height,
      }),
      watched('ServerErrors', '5xx', 'answers in 5 min', [
        sumOf('5xx', [metrics.api('5XXError', 'Sum', '5xx')]),
      ]),
      watched('Throttles', 'Throttled, by whom', 'requests in 5 min', throttles(metrics), { stacked: true }),
    ],
    [
      graph('Requests', 'requests in 5 min', third, [
        sumOf('All', [metrics.api('Count', 'Sum', 'Requests')]),
        sumOf('4xx', [metrics.api('4XXError', 'Sum', '4xx')]),
      ]),
      // No threshold: at 15 seconds it would press everything else to the floor.
      graph('Latency (alarm: p99 of 15,000 ms)', 'ms', third, [
        metrics.api('Latency', 'p50', 'p50'),
        metrics.api('Latency', 'p99', 'p99'),
      ]),
      watched('Denials', 'Denied', '% of the requests', [alarms.Denials.metric(metrics)]),
    ],
    [
      graph('Functions: crashes', 'invocations in 5 min', third, [metrics.lambda('Errors', 'Errors')]),
      graph('Calls to ECR and S3: p99', 'ms', third, [metrics.every('UpstreamLatency', 'p99')]),
      graph('Calls to ECR and S3: faults', 'calls in 5 min', third, [metrics.every('UpstreamErrors')]),
    ],
    [
      table('Latest faults', third * 2, functionLogs, [
        'filter message = "request" and status >= 500',
        'fields @timestamp, code, operation, principal, cause.name, cause.message, requestId',
        'sort @timestamp desc',
      ]),
      watched('Configuration', 'Configuration: to be mended', 'times met in 5 min', [
        metrics.every('ConfigurationFaults'),
      ]),
    ],
  ];
}

const whoIsPushing = ({ metrics, functionLogs }: ProxyDashboardProps): IWidget[][] => [
  [heading('Who is pushing?')],
  [
    table('Clients, by GiB', half, functionLogs, [
      'filter message = "request" and decision = "allow" and status < 300',
      'stats sum(bytes / 1073741824) as GiB, count(*) as requests, latest(sourceIp) as lastIp by principal, repositoryName',
      'sort GiB desc',
    ]),
    table('Latest images', half, functionLogs, [
      'filter message = "request" and operation = "PutImage" and status < 300',
      'fields @timestamp, repositoryName, imageTag, principal, imageDigest',
      'sort @timestamp desc',
    ]),
  ],
  [
    graph('Layers', 'MiB per second', half, [
      new MathExpression({
        label: 'Layers',
        expression: 'FILL(bytes, 0) / PERIOD(bytes) / 1048576',
        usingMetrics: { bytes: metrics.own('Bytes') },
      }),
    ]),
    graph('Joins and resumes', 'parts in 5 min', half, [
      sumOf('Part joins', [metrics.own('PartJoins')]),
      sumOf('Resumes', [metrics.own('Resumes')]),
    ]),
  ],
];

const whatIsRefused = ({ metrics, functionLogs, accessLog }: ProxyDashboardProps): IWidget[][] => [
  [heading('What is refused?')],
  [
    graph('Refusals, by reason', 'requests in 5 min', third * 2, [metrics.every('Refusals')], {
      stacked: true,
    }),
    graph('Policies: failed, and in audit mode', 'requests in 5 min', third, [
      sumOf('Failed', [metrics.own('PolicyErrors')]),
      sumOf('Would refuse', [metrics.own('AuditWouldRefuse')]),
      sumOf('Would allow', [metrics.own('AuditWouldAllow')]),
    ]),
  ],
  [
    table('Refusals, by client', half, functionLogs, [
      'filter message = "request" and ispresent(code)',
      'fields coalesce(principal, sourceIp) as who',
      'stats count(*) as refusals by code, who, repositoryName',
      'sort refusals desc',
      'display refusals, code, who, repositoryName',
    ]),
    table(
      'Refused by API Gateway',
      half,
      [accessLog],
      [
        'filter responseType != "-" and ispresent(responseType)',
        'stats count(*) as refusals by responseType, status, sourceIp',
        'sort refusals desc',
        'display refusals, responseType, status, sourceIp',
      ],
    ),
  ],
];

const whatDoesItCost = ({ metrics, memorySizeMegabytes }: ProxyDashboardProps): IWidget[][] => [
  [heading('What does it cost? (an estimate at list prices: docs/operations.md)')],
  [
    numbers(
      'USD in this time, and per TiB',
      [totalCost(metrics, memorySizeMegabytes), costPerTebibyte(metrics, memorySizeMegabytes)],
      { width: third, height },
    ),
    graph('USD, by service', 'USD in 5 min', third, costs(metrics, memorySizeMegabytes), { stacked: true }),
    // S3 writes it once a day.
    graph('Staged bytes, of two weeks', 'bytes', third, [metrics.stagedBytes], {
      start: '-P14D',
    }),
  ],
];

export class ProxyDashboard extends Dashboard {
  constructor(scope: Construct, id: string, props: ProxyDashboardProps) {
    super(scope, id, {
      dashboardName: props.dashboardName,
      defaultInterval: Duration.days(1),
      // Thresholds are of five minutes, whatever time is looked at.
      periodOverride: PeriodOverride.INHERIT,
      widgets: [isItWorking, whoIsPushing, whatIsRefused, ofRegistryEndpoint, whatDoesItCost].flatMap(
        (section) => section(props),
      ),
    });
  }
}

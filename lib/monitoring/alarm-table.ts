// Alarms made of a table: each row with the section of docs/operations.md that says what to do.

import {
  Alarm,
  ComparisonOperator,
  type IAlarm,
  type IMetric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

export type AlarmRow<Metrics> = {
  /** One sentence, with the threshold in it. */
  description: string;
  metric: (metrics: Metrics) => IMetric;
  threshold: number;
  /** How many of how many periods. */
  datapoints: readonly [of: number, within: number];
  /** Whether no data is a fault as well; by default, no requests are none. */
  ringsWithoutData?: boolean;
};

export type AlarmTableProps<Metrics> = {
  rows: Readonly<Record<string, AlarmRow<Metrics>>>;
  metrics: Metrics;
  /** Begins the alarms' names. */
  serviceName: string;
  topic: ITopic | undefined;
  /** Where each row has a section. */
  page: string;
};

export class AlarmTable<Metrics> extends Construct {
  readonly all: readonly Alarm[];
  /** By name and not by reference, for a dashboard that shows them: it needs none of them to be there first. */
  readonly named: readonly IAlarm[];

  constructor(scope: Construct, id: string, props: AlarmTableProps<Metrics>) {
    super(scope, id);
    const alarmName = (name: string) => `${props.serviceName}-${name}`;
    this.all = Object.entries(props.rows).map(([name, row]) => this.#add(name, alarmName(name), row, props));
    this.named = Object.keys(props.rows).map((name) =>
      Alarm.fromAlarmName(this, `Named${name}`, alarmName(name)),
    );
  }

  #add(
    name: string,
    alarmName: string,
    row: AlarmRow<Metrics>,
    { metrics, page, topic }: AlarmTableProps<Metrics>,
  ): Alarm {
    const [datapointsToAlarm, evaluationPeriods] = row.datapoints;
    const alarm = new Alarm(this, name, {
      alarmName,
      metric: row.metric(metrics),
      alarmDescription: `${row.description} What to do: ${page}, "${name}".`,
      threshold: row.threshold,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      datapointsToAlarm,
      evaluationPeriods,
      treatMissingData: row.ringsWithoutData ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    if (topic) {
      alarm.addAlarmAction(new SnsAction(topic));
      alarm.addOkAction(new SnsAction(topic));
    }
    return alarm;
  }
}

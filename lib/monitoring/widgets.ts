// Widgets as the dashboard has them: their sizes, and what they have in common.

import {
  GraphWidget,
  type GraphWidgetProps,
  type IMetric,
  LogQueryVisualizationType,
  LogQueryWidget,
  SingleValueWidget,
  type SingleValueWidgetProps,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';

/** CloudWatch's grid has 24 columns. */
export const wide = 24;
export const half = 12;
export const third = 8;
export const height = 6;

export const heading = (text: string) => new TextWidget({ markdown: `## ${text}`, width: wide, height: 1 });

/** @param unit of the axis; what is counted is counted in five minutes */
export const graph = (
  title: string,
  unit: string,
  width: number,
  left: readonly IMetric[],
  more: GraphWidgetProps = {},
) =>
  new GraphWidget({
    title,
    width,
    height,
    left: [...left],
    leftYAxis: { label: unit, min: 0, showUnits: false },
    ...more,
  });

/** Of the whole time that is looked at. */
export const numbers = (title: string, metrics: IMetric[], more: Omit<SingleValueWidgetProps, 'metrics'>) =>
  new SingleValueWidget({ title, metrics, setPeriodToTimeRange: true, ...more });

export const table = (title: string, width: number, logs: readonly LogGroup[], queryLines: string[]) =>
  new LogQueryWidget({
    title,
    width,
    height,
    view: LogQueryVisualizationType.TABLE,
    logGroupNames: logs.map(({ logGroupName }) => logGroupName),
    queryLines: [...queryLines, 'limit 20'],
  });

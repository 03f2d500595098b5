// What an operator sees: the dashboard and the alarms, against the metrics that are written and the page that explains them.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { metrics, metricsNamespace } from '../../api/metrics.ts';
import { alarms } from '../../lib/monitoring/alarms.ts';
import { prices } from '../../lib/monitoring/prices.ts';
import { type Widget, widgetsOf } from '../support/dashboard.ts';
import { configurations, synthesize } from '../support/stacks.ts';

const { template } = synthesize(configurations.default);
const withTopic = synthesize(configurations.everything).template;
const widgets = widgetsOf(template);
const page = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8');

const titled = widgets.flatMap((widget) => (widget.type === 'text' ? [] : [widget]));
const queries = widgets.flatMap((widget) => (widget.type === 'log' ? [widget.properties.query] : []));
function cells(widget: Widget) {
  const taken: string[] = [];
  for (let x = widget.x; x < widget.x + widget.width; x++) {
    for (let y = widget.y; y < widget.y + widget.height; y++) {
      taken.push(`${x},${y}`);
    }
  }
  return taken;
}

describe('the dashboard', () => {
  it('answers its four questions, in this order', () => {
    const headings = widgets.flatMap((widget) =>
      widget.type === 'text' ? [widget.properties.markdown] : [],
    );
    expect(headings.map((heading) => /## (.*?\?)/.exec(heading)?.[1])).toEqual([
      'Is it working?',
      'Who is pushing?',
      'What is refused?',
      'What does it cost?',
    ]);
  });

  it('lies within CloudWatch’s 24 columns, no widget upon another', () => {
    const taken = widgets.flatMap(cells);
    expect(new Set(taken).size).toBe(taken.length);
    for (const { x, width } of widgets) {
      expect(x + width).toBeLessThanOrEqual(24);
    }
  });

  it('shows no metric of the proxy’s that is not written, by no dimension that it has not', () => {
    const named = titled.flatMap((widget) => (widget.type === 'metric' ? widget.properties.metrics : []));
    const own = named.filter(([namespace]) => namespace === metricsNamespace);
    expect(own.length).toBeGreaterThan(5);
    for (const [, name, ...dimensions] of own) {
      const row = Object.entries(metrics).find(([known]) => known === name)?.[1];
      const names = dimensions.filter((value, index) => typeof value === 'string' && index % 2 === 0);
      expect([['service'], ['service', row?.by].toSorted()]).toContainEqual(names.toSorted());
    }
    const text = JSON.stringify(named);
    const searched = [...text.matchAll(/SEARCH\('\{EcrUploadProxy,(\w+),service\} MetricName=\\"(\w+)\\"/g)];
    expect(searched.length).toBe(4);
    for (const [, by, name] of searched) {
      expect(Object.entries(metrics).find(([known]) => known === name)?.[1].by).toBe(by);
    }
  });

  it('gives every expression an id of its own within its widget', () => {
    for (const widget of titled) {
      if (widget.type !== 'metric') {
        continue;
      }
      const ids = [...JSON.stringify(widget.properties).matchAll(/"id":"(\w+)"/g)].map(([, id]) => id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.every((id) => /^[a-z]/.test(id ?? ''))).toBe(true);
    }
  });

  it('asks the log for what is written: the requests of the functions and those that API Gateway refused', () => {
    expect(queries).toHaveLength(5);
    for (const query of queries) {
      expect(query).toMatch(/message = "request"|responseType/);
      expect(query).toMatch(/\| limit \d+$/);
    }
  });

  it('is explained in docs/operations.md, widget by widget', () => {
    const rows = [...page.matchAll(/^\| \*\*(.+?)\*\* \|/gm)].map(([, title]) => title);
    expect(rows).toEqual(titled.map(({ properties }) => properties.title));
  });
});

describe('the alarms', () => {
  const found = Object.values(template.findResources('AWS::CloudWatch::Alarm'));

  it.each(Object.entries(alarms))(
    '%s says what happened and where to read what to do',
    (name, { description }) => {
      const [alarm] = found.filter(({ Properties }) => Properties.AlarmDescription.startsWith(description));
      expect(alarm?.Properties.AlarmDescription).toBe(
        `${description} What to do: docs/operations.md, "${name}".`,
      );
      expect(page).toContain(`### ${name}\n`);
    },
  );

  it('are quiet without traffic, and tell nobody where no topic is given', () => {
    expect(found).toHaveLength(Object.keys(alarms).length);
    for (const { Properties } of found) {
      expect(Properties.TreatMissingData).toBe('notBreaching');
      expect(Properties).not.toHaveProperty('AlarmActions');
    }
  });

  it('tell the topic of their begin and their end', () => {
    const topic = configurations.everything.alarmTopicArn;
    withTopic.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [topic], OKActions: [topic] });
  });

  it('look at ten metrics at most, as CloudWatch allows', () => {
    for (const { Properties } of found) {
      const statistics = (Properties.Metrics ?? []).filter((metric: object) => 'MetricStat' in metric);
      expect(statistics.length).toBeLessThanOrEqual(10);
    }
  });
});

it('what the roles may do in docs/operations.md is what they may do', () => {
  const policies = Object.values(withTopic.findResources('AWS::IAM::Policy'));
  const statements = policies.flatMap(({ Properties }) => Properties.PolicyDocument.Statement);
  const allowed = statements.flatMap(({ Action }) =>
    [Action].flat().map((action: string) => action.split(':')[1]),
  );
  const section = page.slice(page.indexOf('## What the roles may do'), page.indexOf('## The log'));
  const documented = [...section.matchAll(/`(\w+)`/g)].map(([, action]) => action);
  expect(new Set(documented)).toEqual(new Set(allowed));
});

describe('the cost per GiB in docs/operations.md', () => {
  /** 1,769 MB, as the table says. */
  const gigabytes = 1_769 / 1_024;
  const parts = 256;
  const columns = [0.171, 0.4];
  const rows: [string, (seconds: number) => number][] = [
    ['API Gateway, requests', () => parts * prices.apiRequest],
    ['Lambda, requests', () => parts * prices.lambdaRequest],
    ['Lambda, GB-seconds', (seconds) => parts * seconds * gigabytes * prices.lambdaGigabyteSecond],
    ['S3, PUT', () => parts * prices.s3Put],
    ['S3, GET and HEAD', () => parts * prices.s3Get],
  ];
  const written = (label: string) =>
    page
      .split('\n')
      .filter((line) => line.startsWith(`| ${label} |`))
      .flatMap((line) => line.replaceAll('*', '').split('|').slice(4, 6).map(Number));

  /** Beside the sum: without a quota there is no table. */
  const quota: (typeof rows)[number] = [
    'DynamoDB, where one quota of bytes applies',
    () => parts * prices.dynamoDbRead + 4 * parts * prices.dynamoDbWrite,
  ];

  it.each([...rows, quota])('%s is what its formula gives', (label, cost) => {
    expect(written(label)).toEqual(columns.map((seconds) => Number(cost(seconds).toFixed(5))));
  });

  it('adds up', () => {
    const sums = columns.map((seconds) => rows.reduce((sum, [, cost]) => sum + cost(seconds), 0));
    expect(written('sum')).toEqual(sums.map((sum) => Number(sum.toFixed(5))));
  });
});

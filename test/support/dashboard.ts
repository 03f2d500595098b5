// The dashboard's body as CloudWatch would get it, with logical ids in place of names.

import type { Template } from 'aws-cdk-lib/assertions';
import { z } from 'zod';

const part = z.union([
  z.string(),
  z.object({ Ref: z.string() }).transform(({ Ref }) => Ref),
  z
    .object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) })
    .transform((value) => value['Fn::GetAtt'].join('.')),
]);

const resource = z.object({
  Properties: z.object({
    DashboardName: z.string(),
    DashboardBody: z.object({ 'Fn::Join': z.tuple([z.literal(''), z.array(part)]) }),
  }),
});

const box = { x: z.number(), y: z.number(), width: z.number(), height: z.number() };
const body = z.strictObject({
  start: z.string(),
  periodOverride: z.literal('inherit'),
  widgets: z.array(
    z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('text'), ...box, properties: z.object({ markdown: z.string() }) }),
      z.strictObject({
        type: z.literal('alarm'),
        ...box,
        properties: z.object({ title: z.string(), alarms: z.array(z.string()) }),
      }),
      z.strictObject({
        type: z.literal('log'),
        ...box,
        properties: z.object({ title: z.string(), query: z.string() }),
      }),
      z.strictObject({
        type: z.literal('metric'),
        ...box,
        properties: z.object({ title: z.string(), metrics: z.array(z.array(z.unknown())) }),
      }),
    ]),
  ),
});

export type Widget = z.output<typeof body>['widgets'][number];

/** @throws ZodError for a body that is not what CloudWatch documents */
export function widgetsOf(template: Template): Widget[] {
  const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
  const [, parts] = resource.parse(dashboard).Properties.DashboardBody['Fn::Join'];
  return body.parse(JSON.parse(parts.join(''))).widgets;
}

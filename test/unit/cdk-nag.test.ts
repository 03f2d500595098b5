// cdk-nag's AwsSolutions pack and the CDK's own validation: what they find is mended, or acknowledged with a reason.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, CfnResource, Stack, Validations } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import cdk from '../../cdk.json' with { type: 'json' };
import { configurationNames, configurations, synthesize } from '../support/stacks.ts';

const awsSolutions = (app: App) => [new AwsSolutionsChecks(app)];

/** What a synthesis found, warnings included. The CDK adds its own validation to the plugins it is given. */
const findingsOf = (app: App): unknown[] =>
  report
    .parse(JSON.parse(readFileSync(join(app.synth().directory, 'validation-report.json'), 'utf8')))
    .pluginReports.flatMap(({ violations }) => violations);

/** A plugin whose findings are all acknowledged has a report of none. */
const report = z.looseObject({ pluginReports: z.array(z.looseObject({ violations: z.array(z.unknown()) })) });

describe('cdk-nag and the CDK', () => {
  it.each(configurationNames)('find nothing in the configuration "%s"', (name) => {
    const { app, stack } = synthesize(configurations[name], awsSolutions);
    expect(findingsOf(app)).toEqual([]);
    // What the CDK CLI prints beside them.
    expect(Annotations.fromStack(stack).findWarning('*', Match.anyValue())).toEqual([]);
  });

  const found = (add: (stack: Stack) => void) => {
    const app = new App({ context: cdk.context });
    Validations.of(app).addPlugins(...awsSolutions(app));
    add(new Stack(app, 'Wrong'));
    return () => app.synth();
  };

  it('do look: a bare bucket is found, and a property that no queue has', () => {
    expect(found((stack) => new Bucket(stack, 'Bucket'))).toThrow(/AwsSolutions-S1/);
    const properties = { Colour: 'red' };
    expect(
      found((stack) => new CfnResource(stack, 'Queue', { type: 'AWS::SQS::Queue', properties })),
    ).toThrow(/Colour/);
  });
});

it('every acknowledgement in lib/ has a reason of a sentence', () => {
  const stacks = (['everything', 'fargate', 'web-function'] as const).map(
    (name) => synthesize(configurations[name]).stack,
  );
  const reasons = stacks
    .flatMap(({ node }) => node.findAll())
    .flatMap(({ node }) => node.metadata)
    .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
    .map(({ data }) => JSON.stringify(data));
  expect(reasons.length).toBeGreaterThan(5);
  for (const reason of reasons) {
    expect(reason).toMatch(/[A-Z].{20,}\./);
  }
});

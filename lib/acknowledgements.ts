// Findings of cdk-nag and cfn-lint that are accepted, each with its reason, at the construct that causes it.

import { type CfnResource, Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { z } from 'zod';

const join = z.object({ 'Fn::Join': z.tuple([z.literal(''), z.array(z.unknown())]) });
const attribute = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) });
const reference = z.object({ Ref: z.string() });

/** A resolved value as cdk-nag writes it: references in angle brackets. */
function written(value: unknown): string {
  if (typeof value === 'string') {
    return value;
  }
  const parts = join.safeParse(value).data?.['Fn::Join'][1];
  if (parts) {
    return parts.map(written).join('');
  }
  const path = attribute.safeParse(value).data?.['Fn::GetAtt'] ?? [reference.parse(value).Ref];
  return `<${path.join('.')}>`;
}

/** cdk-nag wants each wildcard of a role named: those of the resources that hold a wildcard, and no others. */
export function acknowledgeWildcards(scope: IConstruct, resources: readonly string[], reason: string): void {
  const names = resources.map((resource) => written(Stack.of(scope).resolve(resource)));
  for (const resource of names.filter((name) => name.includes('*'))) {
    Validations.of(scope).acknowledge({ id: `AwsSolutions-IAM5[Resource::${resource}]`, reason });
  }
}

/** The CDK writes DependsOn in addition to a reference to the same resource; cfn-lint reports the duplicate. */
export function acknowledgeDependencies(resource: CfnResource): void {
  resource.addMetadata('cfn-lint', { config: { ignore_checks: ['W3005'] } });
}

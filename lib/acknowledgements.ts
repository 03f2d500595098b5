// How a wildcard in a role's resources is owned up to: cdk-nag wants each one named, with its reason.

import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { z } from 'zod';

const join = z.object({ 'Fn::Join': z.tuple([z.literal(''), z.array(z.unknown())]) });
const attribute = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) });
const reference = z.object({ Ref: z.string() });

/** A resolved value as cdk-nag writes it: references in angle brackets. */
const written = (value: unknown): string => {
  if (typeof value === 'string') return value;
  const parts = join.safeParse(value).data?.['Fn::Join'][1];
  if (parts) return parts.map(written).join('');
  const path = attribute.safeParse(value).data?.['Fn::GetAtt'] ?? [reference.parse(value).Ref];
  return `<${path.join('.')}>`;
};

/** Those of the resources that hold a wildcard, and no others. */
export const acknowledgeWildcards = (
  scope: IConstruct,
  resources: readonly string[],
  reason: string,
): void => {
  const named = resources.map((resource) => written(Stack.of(scope).resolve(resource)));
  for (const resource of named.filter((name) => name.includes('*'))) {
    Validations.of(scope).acknowledge({ id: `AwsSolutions-IAM5[Resource::${resource}]`, reason });
  }
};

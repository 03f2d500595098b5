// CloudFormation's intrinsic functions, resolved to local values; what is not known here is refused.

import { z } from 'zod';
import type { Account } from '../account.ts';

export type Resources = Readonly<Record<string, { Type: string }>>;

const intrinsic = z.union([
  z.strictObject({ Ref: z.string() }).transform(({ Ref }) => ({ kind: 'Ref' as const, name: Ref })),
  z.strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }).transform((value) => {
    const [name, attribute] = value['Fn::GetAtt'];
    return { kind: 'GetAtt' as const, name, attribute };
  }),
  z.strictObject({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) }).transform((value) => {
    const [delimiter, parts] = value['Fn::Join'];
    return { kind: 'Join' as const, delimiter, parts };
  }),
  z
    .strictObject({ 'Fn::Sub': z.string() })
    .transform((value) => ({ kind: 'Sub' as const, text: value['Fn::Sub'] })),
]);

const arn = (service: string, { region, accountId }: Account, resource: string) =>
  `arn:aws:${service}:${region}:${accountId}:${resource}`;

const pseudoParameters: Record<string, (account: Account) => string> = {
  'AWS::AccountId': ({ accountId }) => accountId,
  'AWS::Region': ({ region }) => region,
  'AWS::Partition': () => 'aws',
  'AWS::URLSuffix': () => 'amazonaws.com',
};

/** What `Ref` gives for a resource of a type: its physical name, which here comes of its logical id. */
const references: Record<string, (id: string, account: Account) => string> = {
  'AWS::S3::Bucket': (id) => id.toLowerCase(),
  'AWS::SecretsManager::Secret': (id, account) => arn('secretsmanager', account, `secret:${id}-local0`),
  'AWS::DynamoDB::Table': (id) => id,
  'AWS::Lambda::Function': (id) => id,
  'AWS::Logs::LogGroup': (id) => id,
  'AWS::ApiGateway::RestApi': () => 'local',
  'AWS::ApiGateway::Resource': (id) => id,
};

const attributes: Record<string, (id: string, account: Account) => string> = {
  'AWS::S3::Bucket.Arn': (id) => `arn:aws:s3:::${id.toLowerCase()}`,
  'AWS::DynamoDB::Table.Arn': (id, account) => arn('dynamodb', account, `table/${id}`),
  'AWS::Lambda::Function.Arn': (id, account) => arn('lambda', account, `function:${id}`),
  'AWS::Logs::LogGroup.Arn': (id, account) => arn('logs', account, `log-group:${id}:*`),
};

export type Resolve = (value: unknown) => string;

/** @throws Error naming the intrinsic, resource or attribute that has no local value. */
export function resolver(resources: Resources, account: Account): Resolve {
  const typeOf = (id: string) => resources[id]?.Type;

  const reference = (name: string): string => {
    const value = pseudoParameters[name]?.(account) ?? references[typeOf(name) ?? '']?.(name, account);
    if (value === undefined) {
      throw new Error(`Ref ${name} (${typeOf(name)}) has no local value`);
    }
    return value;
  };

  const attribute = (name: string, member: string): string => {
    const value = attributes[`${typeOf(name)}.${member}`]?.(name, account);
    if (value === undefined) {
      throw new Error(`${name}.${member} (${typeOf(name)}) has no local value`);
    }
    return value;
  };

  /** `${Name}`, `${Name.Attribute}`, and `${!Literal}`, which stands for itself. */
  const substitute = (text: string): string =>
    text.replaceAll(/\$\{(!?)([^}]*)\}/g, (_, literal: string, expression: string) => {
      if (literal) {
        return `\${${expression}}`;
      }
      const [name = '', ...member] = expression.split('.');
      return member.length > 0 ? attribute(name, member.join('.')) : reference(name);
    });

  const resolve: Resolve = (value) => {
    if (typeof value === 'string') {
      return value;
    }
    if (typeof value === 'number' || typeof value === 'boolean') {
      return String(value);
    }
    const { data } = intrinsic.safeParse(value);
    switch (data?.kind) {
      case 'Ref':
        return reference(data.name);
      case 'GetAtt':
        return attribute(data.name, data.attribute);
      case 'Join':
        return data.parts.map(resolve).join(data.delimiter);
      case 'Sub':
        return substitute(data.text);
      default:
        throw new Error(`No local value for ${JSON.stringify(value)}`);
    }
  };
  return resolve;
}

// The construct by itself, in an app of somebody else's: what it exposes, and what it refuses at synth.

import { App, Aws, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { InterfaceVpcEndpoint } from 'aws-cdk-lib/aws-ec2';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { describe, expect, it } from 'vitest';
import { operationNames } from '../../api/operations.ts';
import { EcrUploadProxy } from '../../lib/ecr-upload-proxy.ts';
import type { EcrUploadProxyProps } from '../../lib/ecr-upload-proxy-props.ts';

const newStack = (stackName = 'Uploads') =>
  new Stack(new App({ context: { 'aws:cdk:bundling-stacks': [] } }), stackName);
const repositories = { ecr: ['team-a/*'] };
const proxyWith = (props: Partial<EcrUploadProxyProps>, stack = newStack()) =>
  new EcrUploadProxy(stack, 'Proxy', { repositories, ...props });

const names = (count: number, pad = '') => Array.from({ length: count }, (_, n) => `team-${n}${pad}/*`);
const ranges = (count: number) => Array.from({ length: count }, (_, n) => `10.${n >> 8}.${n & 255}.0/24`);
const accounts = (count: number) => Array.from({ length: count }, (_, n) => String(111_111_111_111 + n));

describe('the construct', () => {
  it('keeps the hyphens of a name, so that no two stacks have the same', () => {
    const stack = newStack('my-app');
    proxyWith({}, stack);
    const [dashboard] = Object.values(Template.fromStack(stack).findResources('AWS::CloudWatch::Dashboard'));
    expect(dashboard?.Properties.DashboardName).toMatch(/^my-app-Proxy/);
  });

  it('stands twice in a stack, each with names of its own', () => {
    const stack = newStack();
    new EcrUploadProxy(stack, 'A', { repositories });
    new EcrUploadProxy(stack, 'B', { repositories });
    const template = Template.fromStack(stack);
    for (const [type, name] of [
      ['AWS::ApiGateway::RestApi', 'Name'],
      ['AWS::CloudWatch::Dashboard', 'DashboardName'],
      ['AWS::CloudWatch::Alarm', 'AlarmName'],
    ] as const) {
      const found = Object.values(template.findResources(type)).map(({ Properties }) => Properties[name]);
      expect(found.length).toBeGreaterThan(1);
      expect(new Set(found).size).toBe(found.length);
    }
  });

  it('takes what only the deployment knows', () => {
    const stack = newStack();
    const { repositoryName } = new Repository(stack, 'Repository');
    const registryIds = [Aws.ACCOUNT_ID];
    expect(() => proxyWith({ repositories: { ecr: [repositoryName] }, registryIds }, stack)).not.toThrow();
  });

  it('takes issuers as an operator writes them', () => {
    const stack = newStack();
    proxyWith({ issuers: [{ issuer: 'https://issuer.example', audience: 'proxy' }] }, stack);
    const functions = Template.fromStack(stack).findResources('AWS::Lambda::Function');
    const taken = Object.values(functions).map(({ Properties }) => Properties.Environment.Variables.ISSUERS);
    expect(taken).toHaveLength(operationNames.length + 2);
    for (const issuers of taken) {
      expect(JSON.parse(issuers)).toMatchObject([{ issuer: 'https://issuer.example', audience: ['proxy'] }]);
    }
  });
});

describe('many repositories', () => {
  const longest = 'x'.repeat(200);

  it.each([
    ['200 patterns', names(200), 0],
    ['40 patterns in five accounts', names(40), 4],
    ['100 long names', names(100, longest), 0],
  ])('%s are shared out among policies that IAM takes', (_, ecr, others) => {
    const stack = newStack();
    proxyWith({ repositories: { ecr }, registryIds: accounts(others) }, stack);
    const policies = Object.values(Template.fromStack(stack).findResources('AWS::IAM::ManagedPolicy'));
    expect(policies.length).toBeGreaterThan(6);
    for (const { Properties } of policies) {
      const text = JSON.stringify(Properties.PolicyDocument)
        .replaceAll('{"Ref":"AWS::Partition"}', 'aws-us-gov')
        .replaceAll('{"Ref":"AWS::Region"}', 'ap-southeast-1')
        .replaceAll('{"Ref":"AWS::AccountId"}', '123456789012')
        .replaceAll(/\{"Fn::Join":\["",\[(.*?)\]\]\}/g, (_match, parts: string) =>
          parts.replaceAll(/[",]/g, ''),
        );
      expect(text.length).toBeLessThanOrEqual(6_144);
    }
  });

  it('more than IAM takes in ten policies are refused', () => {
    expect(() => proxyWith({ repositories: { ecr: names(1_000) } })).toThrow(/IAM has no room/);
  });
});

describe('what AWS would refuse only while it deploys', () => {
  const stack = newStack();
  const endpoint = InterfaceVpcEndpoint.fromInterfaceVpcEndpointAttributes(stack, 'Endpoint', {
    vpcEndpointId: 'vpce-0123456789abcdef0',
    port: 443,
  });
  const certificate = Certificate.fromCertificateArn(
    stack,
    'Certificate',
    'arn:aws:acm:eu-central-1:123456789012:certificate/1',
  );
  const issuers = Array.from({ length: 40 }, (_, n) => ({
    issuer: `https://oidc.eks.eu-central-1.amazonaws.com/id/${String(n).padStart(32, '0')}`,
    audience: 'proxy',
  }));

  it.each<[string, Partial<EcrUploadProxyProps>, RegExp]>([
    ['a name that is none', { repositories: { ecr: ['BAD NAME'] } }, /repositories\.ecr\.0: expected/],
    ['no repositories', { repositories: {} }, /repositories: expected/],
    ['an account that is none', { registryIds: ['12'] }, /registryIds\.0: expected/],
    [
      'more issuers than an environment holds',
      { issuers },
      /issuers, registryIds and registryAliases: 3000 characters/,
    ],
    [
      'more accounts than an environment holds',
      { registryIds: accounts(300), repositories: { ecr: ['a'] } },
      /registryIds and registryAliases: 3000/,
    ],
    ['an alias that is an account', { registryAliases: ['123456789012'] }, /registryAliases\.0: expected/],
    ['more ranges than a resource policy holds', { allowedIpRanges: ranges(500) }, /allowedIpRanges and VPC/],
    ['a range that is none', { allowedIpRanges: ['nonsense'] }, /allowedIpRanges\.0: expected/],
    ['a list of ranges without one', { allowedIpRanges: [] }, /allowedIpRanges: expected/],
    ['a list of endpoints without one', { vpcEndpoints: [] }, /vpcEndpointIds: expected/],
    ['memory that no function has', { memorySize: 64 }, /memorySizeMegabytes: expected/],
    ['a web ACL that is none', { webAclArn: 'nope' }, /webAclArn: expected/],
    [
      'a public domain before a private API',
      { vpcEndpoints: [endpoint], domain: { name: 'images.example.com', certificate } },
      /domain: expected nothing where vpcEndpointIds are given/,
    ],
  ])('%s is refused at synth', (_, props, message) => {
    expect(() => proxyWith(props)).toThrow(message);
  });
});

// The registry endpoint's network in the template: who may ask whom, what has to be there first, and in which region.

import { App, Stack } from 'aws-cdk-lib';
import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { readConfiguration } from '../../lib/configuration/configuration.ts';
import { EcrUploadProxy } from '../../lib/ecr-upload-proxy.ts';
import { configurations, synthesize } from '../support/stacks.ts';

const { policyDirectory } = configurations.fargate;
const own = synthesize({ ...configurations['fargate-own-vpc'], policyDirectory }).template;
const given = synthesize(configurations.fargate).template;

const named = (template: Template, type: string, id: string) =>
  Object.entries(template.findResources(type)).filter(([name]) => name.includes(id));
function only(template: Template, type: string, id: string) {
  const found = named(template, type, id);
  expect(found, `${type} ${id}`).toHaveLength(1);
  return found[0]?.[1] ?? expect.fail();
}

/** What a VPC endpoint lets through, by the name of the construct. */
function policyOf(id: string): Record<string, unknown> {
  const { PolicyDocument } = only(own, 'AWS::EC2::VPCEndpoint', `Vpc${id}`).Properties;
  expect(PolicyDocument.Statement).toHaveLength(1);
  return PolicyDocument.Statement[0];
}
const rolesIn = (statement: Record<string, unknown>) =>
  JSON.stringify(statement.Principal)
    .match(/RegistryEndpoint(?:TaskRole|ServiceExecutionRole)/g)
    ?.toSorted();

describe('a VPC endpoint', () => {
  it.each([
    ['EcrApi', ['RegistryEndpointServiceExecutionRole', 'RegistryEndpointTaskRole']],
    ['EcrImages', ['RegistryEndpointServiceExecutionRole', 'RegistryEndpointTaskRole']],
    ['SecretsManager', ['RegistryEndpointTaskRole']],
    ['Logs', ['RegistryEndpointServiceExecutionRole']],
  ])('%s lets nobody through but the roles that ask there', (id, roles) => {
    expect(rolesIn(policyOf(id))).toEqual(roles);
  });

  it('of S3 lets nothing through but the reading of what ECR keeps there', () => {
    expect(policyOf('S3')).toMatchObject({ Action: 's3:GetObject', Effect: 'Allow' });
    expect(JSON.stringify(policyOf('S3').Resource)).toMatch(
      /:s3:::prod-.*AWS::Region.*-starport-layer-bucket\/\*"/,
    );
  });

  it('of DynamoDB lets nothing through but what is asked of the one table', () => {
    const { Action, Resource } = policyOf('DynamoDb');
    expect(Action).toEqual(['dynamodb:GetItem', 'dynamodb:UpdateItem']);
    expect(Resource).toEqual({ 'Fn::GetAtt': [expect.stringMatching(/^QuotaTable/), 'Arn'] });
  });

  it('of a gateway is in the routes of the tasks alone', () => {
    for (const id of ['S3', 'DynamoDb']) {
      const { RouteTableIds } = only(own, 'AWS::EC2::VPCEndpoint', `Vpc${id}`).Properties;
      expect(RouteTableIds).toHaveLength(2);
      expect(JSON.stringify(RouteTableIds)).not.toContain('Public');
    }
  });
});

describe('the service', () => {
  it('starts when its tasks can pull their image: endpoints, routes and the right to do so are there', () => {
    const { DependsOn } = only(own, 'AWS::ECS::Service', 'RegistryEndpoint');
    const first = [
      ...named(own, 'AWS::EC2::VPCEndpoint', ''),
      ...named(own, 'AWS::EC2::Route', 'RegistryEndpoint'),
      ...named(own, 'AWS::EC2::SecurityGroupIngress', 'RegistryEndpoint'),
      ...named(own, 'AWS::IAM::Policy', 'ExecutionRole'),
    ];
    expect(first.length).toBeGreaterThan(10);
    expect(DependsOn).toEqual(expect.arrayContaining(first.map(([id]) => id)));
  });

  it('is spread over the zones again after one of them was lost', () => {
    expect(only(given, 'AWS::ECS::Service', '').Properties.AvailabilityZoneRebalancing).toBe('ENABLED');
  });
});

describe('a security group', () => {
  it('of the load balancer lets requests out to the tasks alone, whatever CloudFormation adds by itself', () => {
    const { Properties } = only(given, 'AWS::EC2::SecurityGroup', 'LoadBalancerSecurityGroup');
    expect(Properties.SecurityGroupEgress).toMatchObject([{ CidrIp: '255.255.255.255/32' }]);
    expect(only(given, 'AWS::EC2::SecurityGroupEgress', '').Properties).toMatchObject({
      FromPort: 3_000,
      ToPort: 3_000,
      DestinationSecurityGroupId: {
        'Fn::GetAtt': [expect.stringMatching(/TaskSecurityGroup/), 'GroupId'],
      },
    });
  });

  it.each([
    ['443 alone, where nobody says another', [], [443]],
    ['the port of an issuer', [{ issuer: 'https://login.example.com:8443/realms/ci' }], [443, 8_443]],
    [
      'the port of an issuer’s key set, once',
      [
        { issuer: 'https://a.example.com', jwksUri: 'https://keys.example.com:9443/a' },
        { issuer: 'https://b.example.com', jwksUri: 'https://keys.example.com:9443/b' },
      ],
      [443, 9_443],
    ],
  ])('of the tasks lets requests out to %s', (_, issuers, ports) => {
    const { template } = synthesize({
      ...configurations.fargate,
      issuers: issuers.map((issuer) => ({ ...issuer, audience: 'https://images.example.com' })),
    });
    const { Properties } = only(template, 'AWS::EC2::SecurityGroup', 'TaskSecurityGroup');
    const rules: { FromPort: number; ToPort: number }[] = Properties.SecurityGroupEgress;
    expect(rules.map(({ FromPort }) => FromPort)).toEqual(ports);
    expect(rules.map(({ ToPort }) => ToPort)).toEqual(ports);
  });
});

describe('the flow log', () => {
  it('is written on behalf of this account’s flow logs alone', () => {
    const { AssumeRolePolicyDocument } = only(own, 'AWS::IAM::Role', 'FlowLog').Properties;
    expect(AssumeRolePolicyDocument.Statement).toEqual([
      expect.objectContaining({
        Principal: { Service: 'vpc-flow-logs.amazonaws.com' },
        Condition: {
          StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
          ArnLike: { 'aws:SourceArn': expect.anything() },
        },
      }),
    ]);
  });
});

describe('a setting of another region', () => {
  const inRegion = (region: string, configuration: object) => () => {
    const { repositories, registryEndpoint } = readConfiguration(configuration);
    const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
    const stack = new Stack(app, 'Uploads', { env: { region } });
    new EcrUploadProxy(stack, 'Proxy', { repositories, ...(registryEndpoint && { registryEndpoint }) });
  };
  const { repositories, registryEndpoint } = configurations['fargate-own-vpc'];
  const inOwnVpc = { repositories, registryEndpoint };
  const inGivenVpc = { repositories, registryEndpoint: configurations.fargate.registryEndpoint };

  it.each([
    [
      'an image, where the tasks reach no other region',
      inOwnVpc,
      /registryEndpoint\.image: expected a repository .* not in eu-central-1/,
    ],
    [
      'a certificate',
      inGivenVpc,
      /registryEndpoint\.domain\.certificateArn: expected .* not in eu-central-1/,
    ],
    ['a web ACL', inGivenVpc, /registryEndpoint\.webAclArn: expected .* not in eu-central-1/],
  ])('is refused where the region is known: %s', (_, configuration, message) => {
    expect(inRegion('eu-west-1', configuration)).toThrow(message);
    expect(inRegion('eu-central-1', configuration)).not.toThrow();
  });

  it('may be an image’s, where the network is the operator’s', () => {
    expect(inRegion('eu-west-1', inGivenVpc)).not.toThrow(/registryEndpoint\.image/);
  });

  /** What CloudFormation holds against the region before it makes anything. */
  const assertionsOf = (configuration: object): string =>
    JSON.stringify(
      Object.entries(synthesize(configuration).template.toJSON().Rules).filter(([id]) =>
        id.startsWith('RegistryEndpoint'),
      ),
    );

  it('is refused by CloudFormation where the deployment alone knows the region', () => {
    const contains = (region: string) => `{"Fn::Contains":[["${region}"],{"Ref":"AWS::Region"}]}`;
    const text = assertionsOf(inOwnVpc);
    expect(text.split(contains('eu-central-1'))).toHaveLength(3);
    expect(text).toContain('registryEndpoint.image');
    expect(assertionsOf(inGivenVpc)).not.toContain('registryEndpoint.image');
  });

  it('is every one but the seventeen that have web functions', () => {
    const text = assertionsOf(configurations['web-function']);
    expect(text.match(/"[a-z]{2}-[a-z]+-\d"/g)).toHaveLength(17);
  });
});

describe('client certificates that the API demands', () => {
  const { domain } = configurations['custom-domain'];
  const { registryEndpoint } = configurations['fargate-own-vpc'];
  const read = (more: object) =>
    readConfiguration({
      repositories: { ecr: ['team-a/*'] },
      domain,
      registryEndpoint: { ...registryEndpoint, ...more },
    });

  it('are not left out by accident', () => {
    expect(() => read({})).toThrow(
      /registryEndpoint\.domain\.mutualTls: expected a truststore, for the API demands client certificates.*or allowWithoutCertificate: true/,
    );
  });

  it('are demanded as well, or left out where the operator says so', () => {
    const { mutualTls } = domain;
    expect(() => read({ domain: { ...registryEndpoint.domain, mutualTls } })).not.toThrow();
    expect(() => read({ allowWithoutCertificate: true })).not.toThrow();
  });
});

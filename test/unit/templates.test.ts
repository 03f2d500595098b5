// The templates of the main configurations: one as a whole and how the others differ from it, to read changes in,
// and what matters of each in a sentence.

import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { operationNames } from '../../api/operations.ts';
import { configurationNames, configurations, readable, synthesize } from '../support/stacks.ts';
import { differenceOf } from '../support/template-difference.ts';

const templateOf = (name: keyof typeof configurations) => readable(synthesize(configurations[name]).template);

it('the template of the configuration "default" is as it was reviewed', async () => {
  const text = stringify(templateOf('default'), { lineWidth: 0 });
  await expect(text).toMatchFileSnapshot('__snapshots__/template.default.yaml');
});

const hosts = ['fargate', 'web-function'] as const;

/** Its body is one text, of which every piece after the first new widget differs. */
function withoutDashboard(configuration: object): Readonly<Record<string, unknown>> {
  const { Resources, ...sections } = readable(synthesize(configuration).template);
  const resources = Object.entries(Resources ?? {}).filter(([id]) => !id.startsWith('Dashboard'));
  return { ...sections, Resources: Object.fromEntries(resources) };
}

it.each(hosts)('the registry endpoint of the configuration "%s" is as it was reviewed', async (name) => {
  const { registryEndpoint, ...without } = configurations[name];
  expect(registryEndpoint).toBeDefined();
  const text = differenceOf(withoutDashboard(without), withoutDashboard(configurations[name]));
  await expect(text).toMatchFileSnapshot(`__snapshots__/template.${name}.diff`);
});

const withoutEndpoint = configurationNames.filter(
  (name) => name !== 'default' && !('registryEndpoint' in configurations[name]),
);

it.each(withoutEndpoint)(
  'the template of the configuration "%s" differs from it as was reviewed',
  async (name) => {
    const text = differenceOf(templateOf('default'), templateOf(name));
    await expect(text).toMatchFileSnapshot(`__snapshots__/template.${name}.diff`);
  },
);

describe('a private API', () => {
  const { template } = synthesize(configurations.private);

  it('is reached through its VPC endpoints from the given addresses, and in no other way', () => {
    const deny = (Condition: object) => ({
      Effect: 'Deny',
      Principal: { AWS: '*' },
      Action: 'execute-api:Invoke',
      Resource: 'execute-api:/*',
      Condition,
    });
    template.hasResourceProperties('AWS::ApiGateway::RestApi', {
      EndpointConfiguration: {
        Types: ['PRIVATE'],
        VpcEndpointIds: ['vpce-0123456789abcdef0', 'vpce-0123456789abcdef1'],
      },
      Policy: {
        Statement: [
          { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'execute-api:Invoke' },
          deny({
            StringNotEquals: { 'aws:SourceVpce': ['vpce-0123456789abcdef0', 'vpce-0123456789abcdef1'] },
          }),
          deny({ NotIpAddress: { 'aws:VpcSourceIp': ['10.1.0.0/16'] } }),
        ],
      },
    });
  });
});

describe('TLS', () => {
  it('is 1.2 or later with forward secrecy at a regional address, whose clients send tokens', () => {
    synthesize(configurations.default).template.hasResourceProperties('AWS::ApiGateway::RestApi', {
      SecurityPolicy: 'SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09',
      EndpointAccessMode: 'STRICT',
    });
  });

  it.each(['private', 'custom-domain'] as const)('is left to AWS’s 1.2 where the API is "%s"', (name) => {
    synthesize(configurations[name]).template.hasResourceProperties('AWS::ApiGateway::RestApi', {
      SecurityPolicy: Match.absent(),
    });
  });
});

describe('IPv6', () => {
  it.each([
    ['is there by default', {}, 'dualstack'],
    [
      'is there where a range of it may call',
      { allowedIpRanges: ['192.0.2.0/24', '2001:db8::/32'] },
      'dualstack',
    ],
    ['is not there where none of its ranges may call', { allowedIpRanges: ['192.0.2.0/24'] }, 'ipv4'],
  ])('%s, at the API and at a domain', (_, members, IpAddressType) => {
    const { domain } = configurations['custom-domain'];
    const { template } = synthesize({ ...configurations.default, ...members, domain });
    for (const type of ['AWS::ApiGateway::RestApi', 'AWS::ApiGateway::DomainName']) {
      template.hasResourceProperties(type, { EndpointConfiguration: { IpAddressType } });
    }
  });
});

describe('a custom domain with mutual TLS', () => {
  const { template } = synthesize(configurations['custom-domain']);

  it('asks for client certificates over TLS 1.2', () => {
    template.hasResourceProperties('AWS::ApiGateway::DomainName', {
      DomainName: 'images.example.com',
      EndpointConfiguration: { Types: ['REGIONAL'] },
      MutualTlsAuthentication: {
        TruststoreUri: 's3://example-truststore/clients/ca.pem',
        TruststoreVersion: 'v1',
      },
      SecurityPolicy: 'TLS_1_2',
    });
  });

  it('is the only way in', () => {
    template.hasResourceProperties('AWS::ApiGateway::RestApi', { DisableExecuteApiEndpoint: true });
  });

  it('is the address that clients are told, and says where its DNS record points', () => {
    template.hasOutput('ProxyUrl', { Value: 'https://images.example.com/' });
    template.hasOutput('DomainTarget', { Value: { 'Fn::GetAtt': ['Domain66AC69E0', 'RegionalDomainName'] } });
  });
});

describe('public ECR alone', () => {
  const { template } = synthesize(configurations.public);

  it('has no route and no permission of private ECR', () => {
    const text = JSON.stringify(template.toJSON());
    expect(text).toContain('"ecr-public:UploadLayerPart"');
    expect(text).not.toContain('"ecr:');
    expect(text).not.toMatch(/"PathPart":"ecr"/);
  });
});

describe('clients that are throttled one by one', () => {
  const { template } = synthesize(configurations.public);
  const [webAcl] = Object.values(template.findResources('AWS::WAFv2::WebACL'));
  const rules: Rule[] = webAcl?.Properties.Rules;

  it('are counted by address and by whatever header holds their token', () => {
    const counted = rules.map(({ Statement: { RateBasedStatement: rule } }) => [
      rule.CustomKeys?.map(({ Header }) => Header.Name).join() ?? rule.AggregateKeyType,
      rule.Limit,
      rule.EvaluationWindowSec,
    ]);
    expect(counted).toEqual([
      ['IP', 1_200, 60],
      ['authorization', 600, 60],
      ['x-amz-security-token', 600, 60],
    ]);
  });

  it('are told when to come back, in the form of every other 429', () => {
    const [[key, body] = ['', undefined]] = Object.entries<{ Content: string }>(
      webAcl?.Properties.CustomResponseBodies,
    );
    for (const { Action } of rules) {
      expect(Action.Block.CustomResponse).toMatchObject({ ResponseCode: 429, CustomResponseBodyKey: key });
      expect(Action.Block.CustomResponse.ResponseHeaders).toContainEqual({ Name: 'Retry-After', Value: '2' });
    }
    expect(JSON.parse(body?.Content ?? '')).toMatchObject({ status: 429, code: 'ThrottlingException' });
  });

  it('leave no token in a sample', () => {
    const all = [webAcl?.Properties.VisibilityConfig, ...rules.map((rule) => rule.VisibilityConfig)];
    for (const { SampledRequestsEnabled } of all) {
      expect(SampledRequestsEnabled).toBe(false);
    }
  });

  it('meet the web ACL before the API', () => {
    const [id] = Object.keys(template.findResources('AWS::WAFv2::WebACL'));
    template.hasResourceProperties('AWS::WAFv2::WebACLAssociation', {
      WebACLArn: { 'Fn::GetAtt': [id, 'Arn'] },
    });
  });

  it('are not there by default', () => {
    synthesize(configurations.default).template.resourceCountIs('AWS::WAFv2::WebACL', 0);
  });
});

it('instances are kept for the functions that are named, and for no other', () => {
  const functions = synthesize(configurations.public).template.findResources('AWS::Lambda::Function');
  const kept = Object.entries(functions).map(([id, { Properties }]) => [
    id.replace(/Function[0-9A-F]{8}$/, ''),
    Properties.ReservedConcurrentExecutions,
  ]);
  expect(kept.filter(([, instances]) => instances !== undefined)).toEqual([['UploadLayerPart', 50]]);
});

describe('everything', () => {
  const { template } = synthesize(configurations.everything);
  const key = configurations.everything.kmsKeyArn;

  it('encrypts bucket, secret and every log group with the given key', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          {
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: { KMSMasterKeyID: key, SSEAlgorithm: 'aws:kms' },
          },
        ],
      },
    });
    template.allResourcesProperties('AWS::SecretsManager::Secret', { KmsKeyId: key });
    template.allResourcesProperties('AWS::Logs::LogGroup', { KmsKeyId: key, RetentionInDays: 365 });
  });

  it('lets each function use that key through S3 and Secrets Manager alone', () => {
    const statements = Object.values(template.findResources('AWS::IAM::Policy'))
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
      .filter(({ Action }) => JSON.stringify(Action).includes('kms:'));
    expect(statements.length).toBeGreaterThan(0);
    for (const { Action, Resource, Condition } of statements) {
      expect(Resource).toBe(key);
      expect(JSON.stringify(Condition)).toMatch(/kms:ViaService.*"(?:s3|secretsmanager)\./);
      expect(['kms:Decrypt', 'kms:GenerateDataKey']).toEqual(expect.arrayContaining([Action].flat()));
    }
  });

  it('bounds every role', () => {
    template.allResourcesProperties('AWS::IAM::Role', {
      PermissionsBoundary: configurations.everything.permissionsBoundaryArn,
    });
  });

  it('gives the functions their memory and their reserved instances', () => {
    template.allResourcesProperties('AWS::Lambda::Function', {
      MemorySize: 3_008,
      ReservedConcurrentExecutions: 50,
    });
  });

  it('limits the stage, and puts the web ACL before it', () => {
    template.hasResourceProperties('AWS::ApiGateway::Stage', {
      MethodSettings: [{ ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 }],
    });
    template.hasResourceProperties('AWS::WAFv2::WebACLAssociation', {
      WebACLArn: configurations.everything.webAclArn,
    });
  });

  it('lets in the allowed addresses alone', () => {
    template.hasResourceProperties('AWS::ApiGateway::RestApi', {
      Policy: {
        Statement: [
          { Effect: 'Allow' },
          {
            Effect: 'Deny',
            Condition: { NotIpAddress: { 'aws:SourceIp': ['203.0.113.0/24', '2001:db8::/32'] } },
          },
        ],
      },
    });
  });

  it('is protected from being deleted, and tagged', () => {
    const { stack } = synthesize(configurations.everything);
    expect(stack).toMatchObject({ terminationProtection: true });
    // CloudFormation gives them to every resource.
    expect(stack.tags.tagValues()).toEqual({ team: 'platform' });
  });

  it('proves whose the domain is', () => {
    template.hasResourceProperties('AWS::ApiGateway::DomainName', {
      OwnershipVerificationCertificateArn: configurations.everything.domain.certificateArn,
    });
  });

  it('names the roles that the other account has to let in', () => {
    const roles = Object.keys(
      template.findResources('AWS::IAM::Role', {
        Properties: {
          AssumeRolePolicyDocument: { Statement: [{ Principal: { Service: 'lambda.amazonaws.com' } }] },
        },
      }),
    );
    const [output] = Object.values(template.findOutputs('FunctionRoleArns'));
    const named = roles.filter((role) => JSON.stringify(output).includes(role));
    // All but the one that can do nothing at ECR.
    expect(named).toHaveLength(operationNames.length + 1);
    expect(roles).toHaveLength(operationNames.length + 2);
  });

  it('reaches the repositories of the other account as well', () => {
    const text = JSON.stringify(template.findResources('AWS::IAM::Policy'));
    expect(text).toContain(':210987654321:repository/team-a/*');
  });

  it('leaves nothing behind but the account’s role for logs', () => {
    for (const [id, { Type, DeletionPolicy }] of Object.entries(template.toJSON().Resources as Resources)) {
      const isAccountRole = Type === 'AWS::ApiGateway::Account' || id.startsWith('ApiCloudWatchRole');
      if (DeletionPolicy?.startsWith('Retain')) {
        expect(isAccountRole, id).toBe(true);
      }
    }
  });
});

type RateBased = {
  AggregateKeyType: string;
  CustomKeys?: { Header: { Name: string } }[];
  Limit: number;
  EvaluationWindowSec: number;
};
type Rule = {
  Statement: { RateBasedStatement: RateBased };
  Action: { Block: { CustomResponse: { ResponseHeaders: object[] } } };
  VisibilityConfig: { SampledRequestsEnabled: boolean };
};
type Resources = Record<string, { Type: string; DeletionPolicy?: string }>;

// The default template: what has to hold whatever changes.

import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { integrationTimeoutMs } from '../../api/limits.ts';
import { calls, isOffered, operationNames, operations } from '../../api/operations.ts';
import type { Registry } from '../../api/registries.ts';
import { configurations, synthesize } from '../support/stacks.ts';

type Statement = { Effect: string; Action: string | string[]; Resource: unknown };

const shipped = synthesize(configurations.default).template;
const both = synthesize({ repositories: { ecr: ['team-a/*'], 'ecr-public': ['team-a/app'] } }).template;

const withQuotas = synthesize(configurations.everything).template;

const pushingNames = [...operationNames, 'AwsDoor'];
const functionNames = [...pushingNames, 'CreateSessionToken'];

/** What a function serves. */
const servedBy = (name: string) =>
  operationNames.filter((operation) => name === operation || name === 'AwsDoor');

const joined = (actions: readonly string[]) => [...new Set(actions)].sort().join(' ');

const list = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

/** An ARN as IAM would see it, intrinsics written as `<…>`. */
function render(value: unknown): string {
  if (typeof value === 'string') {
    return value;
  }
  const [name, argument] = Object.entries(value ?? {})[0] ?? [];
  if (name === 'Fn::Join') {
    return argument[1].map(render).join('');
  }
  if (name === 'Fn::GetAtt') {
    return `<${argument.join('.')}>`;
  }
  return `<${typeof argument === 'string' ? argument : JSON.stringify(argument)}>`;
}

/** What a role may read the one secret by: its name, and any six characters of Secrets Manager's. */
function secretArnOf(template: Template): string {
  const [secret] = Object.values(template.findResources('AWS::SecretsManager::Secret'));
  const name = render(secret?.Properties.Name);
  return `arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:${name}-??????`;
}

const functionsOf = (template: Template) => Object.entries(template.findResources('AWS::Lambda::Function'));
const functionOf = (template: Template, operation: string) =>
  functionsOf(template).filter(([id]) => id.startsWith(`${operation}Function`));

/** The statements of a function's role, by actions, each with its resources. */
function permissionsOf(template: Template, operation: string): Record<string, string[]> {
  const policies = Object.entries(template.findResources('AWS::IAM::Policy'));
  const statements: Statement[] = policies
    .filter(([id]) => id.startsWith(`${operation}Role`))
    .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement);
  return Object.fromEntries(
    statements.map(({ Action, Resource }) => [
      list(Action).sort().join(' '),
      list(Resource)
        .map((resource) => render(resource).replaceAll(/(?<=<[A-Za-z]+)[0-9A-F]{8}(?=[.>])/g, ''))
        .sort(),
    ]),
  );
}

const statementsOf = (template: Template): Statement[] =>
  Object.values(template.findResources('AWS::IAM::Policy')).flatMap(
    ({ Properties }) => Properties.PolicyDocument.Statement,
  );

/** `METHOD /path` of every method, put together from the resource tree. */
function routesOf(template: Template): string[] {
  const resources = template.findResources('AWS::ApiGateway::Resource');
  const pathOf = (reference: { Ref?: string }): string => {
    const resource = resources[reference.Ref ?? '']?.Properties;
    return resource ? `${pathOf(resource.ParentId)}/${resource.PathPart}` : '';
  };
  return Object.values(template.findResources('AWS::ApiGateway::Method'))
    .map(({ Properties }) => `${Properties.HttpMethod} ${pathOf(Properties.ResourceId)}`)
    .sort();
}

describe('the template', () => {
  it('knows neither an account nor a region', () => {
    expect(JSON.stringify(shipped.toJSON())).not.toMatch(/\b\d{12}\b|\b(eu|us|ap)-[a-z]+-\d\b/);
  });

  it('names the proxy’s address and the secret, and nothing else', () => {
    expect(Object.keys(shipped.findOutputs('*'))).toEqual(['ProxyUrl', 'SecretArn']);
  });
});

it('the secret’s name is another in each life of a stack, so that one that was kept is not in the way', () => {
  shipped.hasResourceProperties('AWS::SecretsManager::Secret', {
    Name: {
      'Fn::Join': ['', ['Test-', { 'Fn::Select': [2, { 'Fn::Split': ['/', { Ref: 'AWS::StackId' }] }] }]],
    },
  });
});

describe('the API', () => {
  const rows = operationNames.map((name) => operations[name]);

  const others = ['POST ', 'POST /session-tokens'];

  it('has the routes of the table for ECR, of the AWS API and of session tokens, and no other', () => {
    const routes = rows.map(({ method, path }) => `${method} /ecr${path}`);
    expect(routesOf(shipped)).toEqual([...routes, ...others].sort());
  });

  it('has the routes of each registry that the configuration names repositories of', () => {
    const routes = calls.map(
      ({ operation, registry }) =>
        `${operations[operation].method} /${registry}${operations[operation].path}`,
    );
    expect(routesOf(both)).toEqual([...routes, ...others].sort());
  });

  it('is regional and takes nothing but octet streams for binary', () => {
    shipped.hasResourceProperties('AWS::ApiGateway::RestApi', {
      EndpointConfiguration: { Types: ['REGIONAL'] },
      BinaryMediaTypes: ['application/octet-stream'],
    });
  });

  it('is deployed once its methods are there, for those too who follow references alone', () => {
    const methods = Object.keys(shipped.findResources('AWS::ApiGateway::Method'));
    const [deployment] = Object.values(shipped.findResources('AWS::ApiGateway::Deployment'));
    expect(deployment?.DependsOn).toEqual(expect.arrayContaining(methods));
    expect(deployment?.Metadata.Methods).toHaveLength(methods.length);
    expect(deployment?.Metadata.Methods).toEqual(expect.arrayContaining(methods.map((Ref) => ({ Ref }))));
  });

  it('leaves the account’s settings alone', () => {
    shipped.resourceCountIs('AWS::ApiGateway::Account', 0);
  });
});

describe('the functions', () => {
  it('are one for each operation, one for the AWS API, and one for session tokens', () => {
    expect(functionsOf(shipped)).toHaveLength(functionNames.length);
    expect(functionsOf(both)).toHaveLength(functionNames.length);
  });

  it.each(functionNames)('%s runs on Node.js 24, arm64, traced, with its own log group', (operation) => {
    const [[, definition] = []] = functionOf(shipped, operation);
    expect(definition?.Properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      TracingConfig: { Mode: 'Active' },
      LoggingConfig: { LogGroup: { Ref: expect.stringMatching(`^${operation}LogGroup`) } },
      Role: { 'Fn::GetAtt': [expect.stringMatching(`^${operation}Role`), 'Arn'] },
    });
  });

  it.each([
    ['ecr', shipped],
    ['ecr,ecr-public', both],
  ])('are told that the stack is configured for %s', (REGISTRIES, template) => {
    for (const [, { Properties }] of functionsOf(template)) {
      expect(Properties.Environment.Variables).toMatchObject({ REGISTRIES });
    }
  });

  it('are told whose registries a request may name, as their roles are', () => {
    for (const [, { Properties }] of functionsOf(withQuotas)) {
      expect(Properties.Environment.Variables).toMatchObject({
        REGISTRY_ID: { Ref: 'AWS::AccountId' },
        REGISTRY_IDS: '210987654321',
        REGISTRY_ALIASES: 'example',
      });
    }
    for (const [, { Properties }] of functionsOf(shipped)) {
      expect(Object.keys(Properties.Environment.Variables)).not.toContain('REGISTRY_IDS');
      expect(Object.keys(Properties.Environment.Variables)).not.toContain('REGISTRY_ALIASES');
    }
  });

  it('end before API Gateway stops waiting for them', () => {
    for (const [, { Properties }] of functionsOf(shipped)) {
      expect(Properties.Timeout * 1_000).toBeLessThan(integrationTimeoutMs);
    }
  });

  it('keep their logs for the configured time', () => {
    const groups = Object.values(shipped.findResources('AWS::Logs::LogGroup'));
    expect(groups.map(({ Properties }) => Properties.RetentionInDays)).toEqual(
      [...functionNames, 'the access log'].map(() => 30),
    );
  });
});

describe('the permissions', () => {
  const always = (operation: string) => ({
    'secretsmanager:GetSecretValue': [secretArnOf(shipped)],
    'logs:CreateLogStream logs:PutLogEvents': [`<${operation}LogGroup.Arn>`],
    'xray:PutTelemetryRecords xray:PutTraceSegments': ['*'],
  });
  const staging = (name: string, objects: string[]) => {
    const actions = joined(servedBy(name).flatMap((operation) => operations[operation].stagingActions));
    return actions === ''
      ? {}
      : {
          [actions]: objects.map((path) => `<StagingBucket.Arn>${path}`),
          's3:ListBucket': ['<StagingBucket.Arn>'],
        };
  };
  const offeredBy = (registry: Registry, name: string) =>
    servedBy(name).filter((operation) => isOffered({ operation, registry }));
  const ecrActions = (registry: Registry, name: string) =>
    joined(
      offeredBy(registry, name).flatMap((operation) =>
        operations[operation].iamActions.map((action) => `${registry}:${action}`),
      ),
    );
  const privateArn = 'arn:<AWS::Partition>:ecr:<AWS::Region>:<AWS::AccountId>:repository/';

  it.each(pushingNames)('%s has exactly its actions on exactly the repositories', (name) => {
    expect(permissionsOf(shipped, name)).toEqual({
      [ecrActions('ecr', name)]: ['shared/*', 'team-a/*', 'team-b/*'].map(
        (pattern) => `${privateArn}${pattern}`,
      ),
      ...staging(name, ['/ecr/*']),
      ...always(name),
    });
  });

  const isPublic = (name: string) => offeredBy('ecr-public', name).length > 0;

  it.each(pushingNames.filter((name) => !isPublic(name)))(
    '%s has none on public repositories, whose API has no such operation',
    (name) => {
      expect(JSON.stringify(permissionsOf(both, name))).not.toContain('ecr-public');
    },
  );

  it.each(pushingNames.filter(isPublic))(
    '%s has them on public repositories where some are configured',
    (name) => {
      expect(permissionsOf(both, name)).toMatchObject({
        [ecrActions('ecr-public', name)]: [
          'arn:<AWS::Partition>:ecr-public::<AWS::AccountId>:repository/team-a/app',
        ],
        ...staging(name, ['/ecr-public/*', '/ecr/*']),
      });
    },
  );

  it('CreateSessionToken reads the secret, and can do nothing at ECR, S3 or DynamoDB', () => {
    expect(permissionsOf(withQuotas, 'CreateSessionToken')).toEqual({
      'secretsmanager:GetSecretValue': [secretArnOf(withQuotas)],
      'logs:CreateLogStream logs:PutLogEvents': ['<CreateSessionTokenLogGroup.Arn>'],
      'xray:PutTelemetryRecords xray:PutTraceSegments': ['*'],
      'kms:Decrypt': expect.anything(),
    });
  });

  it('no role has a wildcard in an action', () => {
    expect(statementsOf(both).flatMap(({ Action }) => Action)).not.toContainEqual(
      expect.stringContaining('*'),
    );
  });

  it('no statement is on every resource, but X-Ray’s, which know no other', () => {
    const everywhere = statementsOf(both).filter(({ Resource }) => list(Resource).includes('*'));
    expect(new Set(everywhere.flatMap(({ Action }) => Action))).toEqual(
      new Set(['xray:PutTraceSegments', 'xray:PutTelemetryRecords']),
    );
  });

  it('no role has a policy of AWS’s or an inline one beside its own', () => {
    for (const { Properties } of Object.values(both.findResources('AWS::IAM::Role'))) {
      expect(Object.keys(Properties)).toEqual(['AssumeRolePolicyDocument', 'Description']);
    }
  });
});

describe('session tokens', () => {
  const withoutThem = () =>
    synthesize({ repositories: { ecr: ['team-a/*'] }, sessionTokens: false }).template;
  const minutesOf = (template: Template) =>
    functionsOf(template).map(([, { Properties }]) => Properties.Environment.Variables.SESSION_TOKEN_MINUTES);

  it('are valid for an hour where the configuration says nothing', () => {
    expect(minutesOf(shipped)).toEqual(functionNames.map(() => '60'));
  });

  it('are neither given nor taken where the configuration says so', () => {
    const template = withoutThem();
    expect(routesOf(template)).not.toContain('POST /session-tokens');
    expect(minutesOf(template)).toEqual(pushingNames.map(() => undefined));
  });
});

describe('the quota table', () => {
  it('is not there without a quota', () => {
    shipped.resourceCountIs('AWS::DynamoDB::Table', 0);
    expect(JSON.stringify(shipped.toJSON())).not.toContain('QUOTA_TABLE');
  });

  it('costs nothing while it is not used, forgets, and goes with the stack', () => {
    withQuotas.hasResource('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Delete',
      Properties: {
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      },
    });
  });

  it.each(functionNames)('%s reaches it only if it counts', (name) => {
    const counts = servedBy(name).some((operation) => operations[operation].usage);
    const actions = Object.entries(permissionsOf(withQuotas, name)).filter(([action]) =>
      /dynamodb/.test(action),
    );
    expect(actions).toEqual(counts ? [['dynamodb:GetItem dynamodb:UpdateItem', ['<QuotaTable.Arn>']]] : []);
  });
});

describe('the staging bucket', () => {
  it('is private, encrypted, and forgets after a day', () => {
    shipped.hasResourceProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      LifecycleConfiguration: {
        Rules: [
          {
            Status: 'Enabled',
            ExpirationInDays: 1,
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
          },
        ],
      },
    });
    expect(JSON.stringify(shipped.findResources('AWS::S3::Bucket'))).not.toContain('VersioningConfiguration');
  });

  it('speaks TLS only', () => {
    shipped.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: [
          { Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
          { Effect: 'Deny', Action: 's3:*', Condition: { NumericLessThan: { 's3:TlsVersion': 1.2 } } },
        ],
      },
    });
  });

  it('goes with the stack; the secret stays', () => {
    shipped.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Delete' });
    shipped.hasResource('AWS::SecretsManager::Secret', { DeletionPolicy: 'RetainExceptOnCreate' });
  });
});

// `npm run test:deploy`: the stack's life in an account, by the real CDK CLI, looked at through the AWS API.

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { APIGateway } from '@aws-sdk/client-api-gateway';
import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogs } from '@aws-sdk/client-cloudwatch-logs';
import { IAM } from '@aws-sdk/client-iam';
import { Lambda } from '@aws-sdk/client-lambda';
import { S3 } from '@aws-sdk/client-s3';
import { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { operationNames, operations } from '../../api/operations.ts';
import { account, bootstrap, type Moto, startMoto } from './moto.ts';
import { skippedTypes, unknownToMoto } from './unknown-to-moto.ts';

const projectRoot = join(import.meta.dirname, '../..');
const directory = join(projectRoot, '.local', 'deploy');
const policyDirectory = join(directory, 'policies');
const logFile = join(directory, 'moto.log');
const configurationFile = join(directory, 'proxy.json');
const stackName = 'Deployed';
const functionNames = [...operationNames, 'AwsDoor', 'CreateSessionToken'];

let moto: Moto;
let api: APIGateway;
let cloudFormation: CloudFormation;
let iam: IAM;
let lambda: Lambda;
let logs: CloudWatchLogs;
let s3: S3;
let secrets: SecretsManager;

const onStack = (...args: string[]) => [
  ...args,
  '--all',
  '-c',
  `ecr-upload-proxy=${configurationFile}`,
  '--output',
  join(directory, 'cdk.out'),
];
const deployment = onStack('deploy', '--require-approval', 'never', '--method', 'direct');
const deploy = () => moto.cdk(...deployment, '--no-previous-parameters');

beforeAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  cpSync(join(projectRoot, 'policies'), policyDirectory, { recursive: true });
  const configuration = { stackName, policyDirectory, repositories: { ecr: ['team-a/*', 'shared/base'] } };
  writeFileSync(configurationFile, JSON.stringify(configuration));
  moto = await startMoto(logFile);
  const config = moto.clientConfig;
  api = new APIGateway(config);
  cloudFormation = new CloudFormation(config);
  iam = new IAM(config);
  lambda = new Lambda(config);
  logs = new CloudWatchLogs(config);
  s3 = new S3({ ...config, forcePathStyle: true });
  secrets = new SecretsManager(config);
  await moto.cdk(...bootstrap(join(directory, 'cdk.out')));
  await deploy();
}, 900_000);
afterAll(() => moto?.close());

/** Of the stack, by the beginning of its logical id. */
async function physicalIdOf(logicalId: RegExp): Promise<string> {
  const { StackResources = [] } = await cloudFormation.describeStackResources({ StackName: stackName });
  const found = StackResources.filter(({ LogicalResourceId = '' }) => logicalId.test(LogicalResourceId));
  if (found.length !== 1) {
    throw new Error(`${found.length} resources ${logicalId}`);
  }
  return String(found[0]?.PhysicalResourceId);
}
const functionOf = async (name: string) =>
  lambda.getFunctionConfiguration({ FunctionName: await physicalIdOf(new RegExp(`^${name}Function`)) });
const codeOf = async () =>
  Object.fromEntries(
    await Promise.all(functionNames.map(async (name) => [name, (await functionOf(name)).CodeSha256])),
  );
async function outputs() {
  const { Stacks } = await cloudFormation.describeStacks({ StackName: stackName });
  return Object.fromEntries((Stacks?.[0]?.Outputs ?? []).map((one) => [one.OutputKey, one.OutputValue]));
}
async function sealedSecret() {
  const { SecretString } = await secrets.getSecretValue({ SecretId: (await outputs()).SecretArn });
  return SecretString;
}

const document = z.object({
  Statement: z.array(
    z.object({
      Effect: z.literal('Allow'),
      Action: z.union([z.string(), z.array(z.string())]).transform((actions) => [actions].flat()),
      Resource: z.union([z.string(), z.array(z.string())]).transform((resources) => [resources].flat()),
    }),
  ),
});

/** Every action that a function's role has, with the resources it has it on. */
async function permissionsOf(name: string): Promise<Record<string, string[]>> {
  const RoleName = await physicalIdOf(new RegExp(`^${name}Role[0-9A-F]{8}$`));
  const { PolicyNames = [] } = await iam.listRolePolicies({ RoleName });
  const policies = await Promise.all(
    PolicyNames.map((PolicyName) => iam.getRolePolicy({ RoleName, PolicyName })),
  );
  const statements = policies.flatMap(
    ({ PolicyDocument = '' }) => document.parse(JSON.parse(decodeURIComponent(PolicyDocument))).Statement,
  );
  return Object.fromEntries(
    statements.flatMap(({ Action, Resource }) => Action.map((action) => [action, Resource.toSorted()])),
  );
}

describe('after the deployment', () => {
  it('the stack is complete and says where clients go and where tokens go', async () => {
    const { Stacks } = await cloudFormation.describeStacks({ StackName: stackName });
    expect(Stacks?.[0]?.StackStatus).toBe('CREATE_COMPLETE');
    expect(await outputs()).toEqual({
      ProxyUrl: expect.stringMatching(/^https:\/\/\w+\.execute-api\.eu-central-1\.amazonaws\.com\/prod\/$/),
      SecretArn: expect.stringMatching(/^arn:aws:secretsmanager:eu-central-1:123456789012:secret:/),
    });
  });

  it('the API has the routes of the table, each to its own function, and a traced stage', async () => {
    const restApiId = await physicalIdOf(/^Api[0-9A-F]{8}$/);
    const { items = [] } = await api.getResources({ restApiId, limit: 500 });
    const routes = await Promise.all(
      items.flatMap(({ id: resourceId, path, resourceMethods }) =>
        Object.keys(resourceMethods ?? {}).map(async (httpMethod) => {
          const { uri = '', type } = await api.getIntegration({ restApiId, resourceId, httpMethod });
          const target = functionNames.find((name) => uri.includes(`-${name}Function`));
          return `${httpMethod} ${path} ${type} ${target}`;
        }),
      ),
    );
    const expected = operationNames.map((name) => {
      const { method, path } = operations[name];
      return `${method} /ecr${path} AWS_PROXY ${name}`;
    });
    const others = ['POST / AWS_PROXY AwsDoor', 'POST /session-tokens AWS_PROXY CreateSessionToken'];
    expect(routes.toSorted()).toEqual([...expected, ...others].toSorted());
    const { item: stages } = await api.getStages({ restApiId });
    expect(stages).toMatchObject([{ stageName: 'prod', tracingEnabled: true }]);
  });

  it.each(functionNames)('%s runs the code that was published, and API Gateway may call it', async (name) => {
    const found = await functionOf(name);
    expect(found).toMatchObject({ Runtime: 'nodejs24.x', Timeout: 28, MemorySize: 1_769 });
    expect(found.CodeSize).toBeGreaterThan(1_000_000);
    const { SecretArn } = await outputs();
    expect(found.Environment?.Variables).toMatchObject({
      STAGING_BUCKET: await physicalIdOf(/^StagingBucket[0-9A-F]{8}$/),
      SECRET_ID: SecretArn,
      REGISTRY_ID: account.accountId,
    });
    const { Policy } = await lambda.getPolicy({ FunctionName: found.FunctionName });
    expect(Policy).toContain('apigateway.amazonaws.com');
  });

  it.each(functionNames)(
    'the role of %s allows its actions on its resources, and nothing else',
    async (name) => {
      const served = operationNames.filter((operation) => name === operation || name === 'AwsDoor');
      const repositories = ['shared/base', 'team-a/*'].map(
        (pattern) => `arn:aws:ecr:eu-central-1:123456789012:repository/${pattern}`,
      );
      const bucketArn = `arn:aws:s3:::${await physicalIdOf(/^StagingBucket[0-9A-F]{8}$/)}`;
      const stagingActions = served.flatMap((operation) => operations[operation].stagingActions);
      const on = (actions: readonly string[], resources: string[]) =>
        Object.fromEntries(actions.map((action) => [action, resources]));
      expect(await permissionsOf(name)).toEqual({
        ...on(
          served.flatMap((operation) => operations[operation].iamActions.map((action) => `ecr:${action}`)),
          repositories,
        ),
        ...on(stagingActions, [`${bucketArn}/ecr/*`]),
        ...on(stagingActions.length > 0 ? ['s3:ListBucket'] : [], [bucketArn]),
        'secretsmanager:GetSecretValue': [(await outputs()).SecretArn?.replace(/.{6}$/, '??????')],
        'logs:CreateLogStream': [expect.stringContaining(`${name}LogGroup`)],
        'logs:PutLogEvents': [expect.stringContaining(`${name}LogGroup`)],
        'xray:PutTraceSegments': ['*'],
        'xray:PutTelemetryRecords': ['*'],
      });
    },
  );

  it('the staging bucket is encrypted, and empty', async () => {
    const Bucket = await physicalIdOf(/^StagingBucket[0-9A-F]{8}$/);
    const { ServerSideEncryptionConfiguration } = await s3.getBucketEncryption({ Bucket });
    expect(ServerSideEncryptionConfiguration).toMatchObject({
      Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
    });
    expect((await s3.listObjectsV2({ Bucket })).KeyCount).toBe(0);
  });

  it('the secret has no clients yet, and a key of 64 characters', async () => {
    expect(JSON.parse((await sealedSecret()) ?? '')).toEqual({
      clients: {},
      sealingKey: expect.stringMatching(/^[0-9A-Za-z]{64}$/),
    });
  });

  it('every log group forgets after 30 days', async () => {
    const { logGroups = [] } = await logs.describeLogGroups({ logGroupNamePrefix: stackName });
    expect(logGroups.map(({ retentionInDays }) => retentionInDays)).toEqual(
      [...functionNames, 'AccessLog'].map(() => 30),
    );
  });
});

describe('after a change of the policies alone', () => {
  it('every function has new code; roles, API, secret and outputs are the same', async () => {
    const permissions = () => Promise.all(functionNames.map(permissionsOf));
    const before = [await permissions(), await outputs(), await sealedSecret()];
    const code = await codeOf();
    const policies = join(policyDirectory, 'teams.cedar');
    writeFileSync(policies, `${readFileSync(policies, 'utf8')}\n// Reviewed.\n`);
    await deploy();
    expect([await permissions(), await outputs(), await sealedSecret()]).toEqual(before);
    for (const [name, sha256] of Object.entries(await codeOf())) {
      expect(sha256).not.toBe(code[name]);
    }
  }, 600_000);

  it('a policy that does not validate is not deployed at all', async () => {
    const code = await codeOf();
    const policies = join(policyDirectory, 'broken.cedar');
    writeFileSync(policies, 'permit (principal, action, resource) when { resource.colour == "red" };');
    await expect(deploy()).rejects.toThrow(/colour/);
    expect(await codeOf()).toEqual(code);
    rmSync(policies);
  }, 600_000);
});

describe('after the stack is destroyed', () => {
  it('nothing is left but the secret and the logs, which are kept on purpose', async () => {
    const { SecretArn } = await outputs();
    const bucket = await physicalIdOf(/^StagingBucket[0-9A-F]{8}$/);
    await moto.cdk(...onStack('destroy', '--force'));
    await expect(cloudFormation.describeStacks({ StackName: stackName })).rejects.toThrow(/does not exist/);
    expect((await lambda.listFunctions()).Functions).toEqual([]);
    expect((await s3.listBuckets()).Buckets?.map(({ Name }) => Name)).not.toContain(bucket);
    const { Roles = [] } = await iam.listRoles();
    expect(Roles.map(({ RoleName = '' }) => RoleName).filter((name) => name.startsWith(stackName))).toEqual(
      [],
    );
    expect((await secrets.describeSecret({ SecretId: SecretArn })).ARN).toBe(SecretArn);
    const { logGroups = [] } = await logs.describeLogGroups({ logGroupNamePrefix: stackName });
    expect(logGroups).toHaveLength(functionNames.length + 1);
  }, 600_000);
});

it('moto was given nothing that it does not know but what is listed', () => {
  for (const type of skippedTypes(logFile)) {
    expect(Object.keys(unknownToMoto)).toContain(type);
  }
});

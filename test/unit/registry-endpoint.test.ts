// The registry endpoint in the template: what each host is made of, how its times and limits agree, what is refused.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOffered, operationNames, operations } from '../../api/operations.ts';
import { readConfiguration } from '../../lib/configuration/configuration.ts';
import { EcrUploadProxy } from '../../lib/ecr-upload-proxy.ts';
import { idleMebibytes, mebibytesPerUpload } from '../../lib/registry-endpoint/capacity.ts';
import { memberNames } from '../../lib/registry-endpoint/configuration.ts';
import { monthly, perGibibyte } from '../../lib/registry-endpoint/cost.ts';
import { fargateAlarms } from '../../lib/registry-endpoint/fargate-metrics.ts';
import { inlineSource } from '../../lib/registry-endpoint/inline-resource.ts';
import { probeWork } from '../../lib/registry-endpoint/probe.ts';
import { timeConflicts, timesOf } from '../../lib/registry-endpoint/times.ts';
import { copyWork } from '../../lib/registry-endpoint/web-function-code.ts';
import { webFunctionAlarms } from '../../lib/registry-endpoint/web-function-metrics.ts';
import { configurations, synthesize } from '../support/stacks.ts';

const given = synthesize(configurations.fargate).template;
const own = synthesize(configurations['fargate-own-vpc']).template;
const web = synthesize(configurations['web-function']).template;

function only(template: Template, type: string, id = '') {
  const found = Object.entries(template.findResources(type)).filter(([name]) => name.includes(id));
  expect(found, `${type} ${id}`).toHaveLength(1);
  return found[0]?.[1].Properties;
}
const container = (template: Template) => only(template, 'AWS::ECS::TaskDefinition').ContainerDefinitions[0];
const environmentOf = (template: Template): Record<string, unknown> =>
  Object.fromEntries(
    container(template).Environment.map(({ Name, Value }: { Name: string; Value: unknown }) => [Name, Value]),
  );
const attributesOf = (template: Template, type: string, member: string): Record<string, string> =>
  Object.fromEntries(
    only(template, type)[member].map(({ Key, Value }: { Key: string; Value: string }) => [Key, Value]),
  );
const loadBalancerOf = (template: Template) =>
  attributesOf(template, 'AWS::ElasticLoadBalancingV2::LoadBalancer', 'LoadBalancerAttributes');
const targetsOf = (template: Template) =>
  attributesOf(template, 'AWS::ElasticLoadBalancingV2::TargetGroup', 'TargetGroupAttributes');

type Statement = { Action: string | string[]; Resource: unknown };
const statementsOf = (template: Template, role: string): Statement[] =>
  only(template, 'AWS::IAM::Policy', role).PolicyDocument.Statement;
const actionsOf = (template: Template, role: string): string[] =>
  statementsOf(template, role)
    .flatMap(({ Action }) => Action)
    .sort();

describe('the load balancer', () => {
  it('speaks HTTP/1.1 alone, takes what container tools send, and drops what is no header', () => {
    expect(loadBalancerOf(given)).toMatchObject({
      'routing.http2.enabled': 'false',
      'routing.http.drop_invalid_header_fields.enabled': 'true',
      'routing.http.desync_mitigation_mode': 'defensive',
    });
  });

  it('listens for TLS alone, 1.2 or later with forward secrecy, and for its own name', () => {
    expect(only(given, 'AWS::ElasticLoadBalancingV2::Listener')).toMatchObject({
      Port: 443,
      Protocol: 'HTTPS',
      SslPolicy: 'ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09',
      Certificates: [{ CertificateArn: configurations.fargate.registryEndpoint.domain.certificateArn }],
    });
  });

  it('asks for client certificates of the truststore where it is given', () => {
    given.hasResourceProperties('AWS::ElasticLoadBalancingV2::TrustStore', {
      CaCertificatesBundleS3Bucket: 'example-truststore',
      CaCertificatesBundleS3Key: 'clients/ca.pem',
      CaCertificatesBundleS3ObjectVersion: 'v1',
    });
    given.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      MutualAuthentication: { Mode: 'verify' },
    });
    own.resourceCountIs('AWS::ElasticLoadBalancingV2::TrustStore', 0);
  });

  it('lets in the given ranges alone', () => {
    const group = only(given, 'AWS::EC2::SecurityGroup', 'LoadBalancerSecurityGroup');
    expect(group.SecurityGroupIngress).toMatchObject([
      { CidrIp: '10.1.0.0/16', FromPort: 443, ToPort: 443 },
      { CidrIp: '10.2.0.0/16', FromPort: 443, ToPort: 443 },
    ]);
  });

  it('takes the ranges of the API where it has none of its own', () => {
    const { template } = synthesize({
      ...configurations['fargate-own-vpc'],
      allowedIpRanges: ['203.0.113.0/24', '2001:db8::/32'],
    });
    const group = only(template, 'AWS::EC2::SecurityGroup', 'LoadBalancerSecurityGroup');
    expect(group.SecurityGroupIngress).toMatchObject([{ CidrIp: '203.0.113.0/24' }]);
  });

  it.each([
    ['internal', 'said to be', configurations.fargate],
    ['internet-facing', 'not said otherwise', configurations['fargate-own-vpc']],
    [
      'internal',
      'before a proxy whose API is private',
      { ...configurations['fargate-own-vpc'], vpcEndpointIds: ['vpce-0123456789abcdef0'] },
    ],
  ])('is %s where it is %s', (Scheme, _, configuration) => {
    synthesize(configuration).template.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', {
      Scheme,
    });
  });

  it('is behind the given web ACL, and writes its log to the given bucket', () => {
    given.hasResourceProperties('AWS::WAFv2::WebACLAssociation', {
      ResourceArn: { Ref: Match.stringLikeRegexp('LoadBalancer') },
      WebACLArn: configurations.fargate.registryEndpoint.webAclArn,
    });
    expect(loadBalancerOf(given)).toMatchObject({
      'access_logs.s3.enabled': 'true',
      'access_logs.s3.bucket': 'example-access-logs',
    });
  });
});

describe('the times', () => {
  it('of load balancer, server and service agree in the template', () => {
    const idle = Number(loadBalancerOf(given)['idle_timeout.timeout_seconds']);
    const { KEEP_ALIVE_SECONDS, IDLE_SECONDS, STOP_SECONDS } = environmentOf(given);
    const delay = Number(targetsOf(given)['deregistration_delay.timeout_seconds']);
    expect(Number(KEEP_ALIVE_SECONDS)).toBeGreaterThanOrEqual(idle + 15);
    expect(Number(IDLE_SECONDS)).toBeLessThan(idle);
    expect(delay).toBeGreaterThanOrEqual(idle);
    expect(container(given).StopTimeout).toBe(120);
    expect(Number(STOP_SECONDS)).toBeLessThan(120);
    expect(delay).toBeGreaterThanOrEqual(120);
  });

  it('agree for whatever is not refused', () => {
    const times = fc.record({
      idleTimeoutSeconds: fc.integer({ min: 1, max: 4_000 }),
      deregistrationDelaySeconds: fc.integer({ min: 0, max: 3_600 }),
    });
    fc.assert(
      fc.property(times, (configured) => {
        fc.pre(timeConflicts(configured).length === 0);
        const all = timesOf(configured);
        expect(all.keepAliveSeconds).toBeGreaterThan(all.idleTimeoutSeconds);
        expect(all.stallSeconds).toBeLessThan(all.idleTimeoutSeconds);
        expect(all.lastAnswerSeconds).toBeLessThan(all.stallSeconds);
        expect(all.deregistrationDelaySeconds).toBeGreaterThanOrEqual(all.idleTimeoutSeconds);
        expect(all.deregistrationDelaySeconds).toBeGreaterThanOrEqual(all.stopSeconds);
        expect(all.serverStopSeconds).toBeLessThan(all.stopSeconds);
      }),
    );
  });
});

describe('a task', () => {
  it('runs the image by its digest, on arm64, with a command of the stack’s', () => {
    expect(container(given)).toMatchObject({
      Image: {
        'Fn::Join': ['', expect.arrayContaining([expect.stringMatching(/@sha256:b{64}$/)])],
      },
      EntryPoint: ['/opt/ecr-upload-proxy/node'],
      Command: ['/opt/ecr-upload-proxy/server.mjs'],
      WorkingDirectory: '/opt/ecr-upload-proxy',
    });
    expect(only(given, 'AWS::ECS::TaskDefinition')).toMatchObject({
      RuntimePlatform: { CpuArchitecture: 'ARM64', OperatingSystemFamily: 'LINUX' },
      Cpu: '1024',
      Memory: '2048',
    });
  });

  it('can write nothing, is nobody, has no capability, and many descriptors', () => {
    expect(container(given)).toMatchObject({
      ReadonlyRootFilesystem: true,
      User: '65532:65532',
      LinuxParameters: { Capabilities: { Drop: ['ALL'] } },
      Ulimits: [{ Name: 'nofile', SoftLimit: 65_536, HardLimit: 65_536 }],
    });
    expect(container(given)).not.toHaveProperty('Privileged', true);
  });

  it('is asked for its health without a shell', () => {
    const [kind, program] = container(given).HealthCheck.Command;
    expect([kind, program]).toEqual(['CMD', '/opt/ecr-upload-proxy/node']);
    given.hasResourceProperties('AWS::ElasticLoadBalancingV2::TargetGroup', { HealthCheckPath: '/healthz' });
    expect(environmentOf(given)).toMatchObject({ HEALTH_PATH: '/healthz', PORT: '3000' });
  });

  it('takes no more uploads than it has memory for, of one client fewer, and headers as the load balancer does', () => {
    const { MAX_UPLOADS, MAX_UPLOADS_PER_CLIENT, NODE_OPTIONS } = environmentOf(given);
    expect(Number(MAX_UPLOADS) * mebibytesPerUpload + idleMebibytes).toBeLessThanOrEqual(2_048);
    expect(Number(MAX_UPLOADS_PER_CLIENT)).toBeLessThanOrEqual(Number(MAX_UPLOADS));
    expect(NODE_OPTIONS).toContain('--max-http-header-size=65536');
    expect(NODE_OPTIONS).toContain('--max-semi-space-size=4');
  });

  it('has the functions’ environment, of the one registry, and no staging bucket', () => {
    const environment = environmentOf(given);
    expect(environment).toMatchObject({
      REGISTRY: 'ecr',
      REGISTRIES: 'ecr',
      BLOBS: 'redirect',
      SECRET_ID: { Ref: expect.stringMatching(/^Secret/) },
      QUOTA_TABLE: { Ref: expect.stringMatching(/^QuotaTable/) },
      TASK_PROTECTION: 'true',
      BEHIND_LOAD_BALANCER: 'true',
    });
    expect(environment).not.toHaveProperty('STAGING_BUCKET');
  });

  it('writes to a log of its own that never holds it up', () => {
    expect(container(given).LogConfiguration).toMatchObject({
      LogDriver: 'awslogs',
      Options: {
        'awslogs-group': { Ref: expect.stringMatching(/RegistryEndpointLogGroup/) },
        mode: 'non-blocking',
      },
    });
    given.allResourcesProperties('AWS::Logs::LogGroup', { KmsKeyId: configurations.fargate.kmsKeyArn });
  });
});

describe('the task’s role', () => {
  const ecrActions = operationNames
    .filter((operation) => isOffered({ operation, registry: 'ecr' }))
    .flatMap((operation) => operations[operation].iamActions)
    .map((action) => `ecr:${action}`);

  it('has exactly the table’s actions on exactly the repositories of the registry that is served', () => {
    const statement = statementsOf(given, 'RegistryEndpointTaskRole').find(({ Action }) =>
      [Action].flat().some((action) => action.startsWith('ecr')),
    );
    expect([statement?.Action].flat().sort()).toEqual([...new Set(ecrActions)].sort());
    expect(JSON.stringify(statement?.Resource)).toContain(':repository/team-a/*');
    expect(JSON.stringify(statement)).not.toContain('ecr-public');
  });

  it('reads the secret, counts quotas, protects its own tasks, and does nothing else', () => {
    const others = actionsOf(given, 'RegistryEndpointTaskRole').filter(
      (action) => !action.startsWith('ecr:'),
    );
    expect(others).toEqual([
      'dynamodb:GetItem',
      'dynamodb:UpdateItem',
      'ecs:GetTaskProtection',
      'ecs:UpdateTaskProtection',
      'kms:Decrypt',
      'secretsmanager:GetSecretValue',
    ]);
    const protection = statementsOf(given, 'RegistryEndpointTaskRole').find(({ Action }) =>
      [Action].flat().includes('ecs:UpdateTaskProtection'),
    );
    expect(JSON.stringify(protection?.Resource)).toMatch(/:task\/.*RegistryEndpointServiceCluster.*\/\*/);
  });

  it('is one of those that the other accounts let in', () => {
    const { template } = synthesize({
      ...configurations['web-function'],
      registryIds: ['210987654321'],
    });
    const [output] = Object.values(template.findOutputs('FunctionRoleArns'));
    expect(JSON.stringify(output)).toContain('RegistryEndpointRole');
  });
});

describe('the service', () => {
  it('replaces tasks one for one, and goes back where new ones do not start', () => {
    given.hasResourceProperties('AWS::ECS::Service', {
      LaunchType: 'FARGATE',
      DesiredCount: Match.absent(),
      DeploymentConfiguration: {
        MinimumHealthyPercent: 100,
        MaximumPercent: 200,
        DeploymentCircuitBreaker: { Enable: true, Rollback: true },
      },
      EnableExecuteCommand: false,
      NetworkConfiguration: {
        AwsvpcConfiguration: {
          AssignPublicIp: 'DISABLED',
          Subnets: configurations.fargate.registryEndpoint.network.taskSubnetIds,
        },
      },
    });
  });

  it('scales by CPU, and by the uploads in flight', () => {
    given.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', {
      MinCapacity: 2,
      MaxCapacity: 6,
    });
    const policies = Object.values(given.findResources('AWS::ApplicationAutoScaling::ScalingPolicy')).map(
      ({ Properties }) => Properties.TargetTrackingScalingPolicyConfiguration,
    );
    const [cpu, uploads] = policies;
    expect(cpu.PredefinedMetricSpecification.PredefinedMetricType).toBe('ECSServiceAverageCPUUtilization');
    expect(uploads.CustomizedMetricSpecification).toMatchObject({
      Namespace: 'EcrUploadProxy',
      MetricName: 'UploadsInFlight',
      Statistic: 'Average',
    });
    expect(uploads.TargetValue).toBeLessThan(Number(environmentOf(given).MAX_UPLOADS));
  });

  it('has alarms that tell the topic, none of them on the time until an answer', () => {
    const alarms = Object.values(given.findResources('AWS::CloudWatch::Alarm'))
      .map(({ Properties }) => Properties)
      .filter(({ AlarmName }) => AlarmName.includes('Registry'));
    expect(alarms.map(({ AlarmName }) => AlarmName)).toEqual([
      'Test-RegistryServerErrors',
      'Test-RegistryLoadBalancerErrors',
      'Test-RegistryNoHealthyTask',
      'Test-RegistryMemory',
    ]);
    for (const alarm of alarms) {
      expect(JSON.stringify(alarm)).not.toContain('TargetResponseTime');
      expect(alarm.AlarmActions).toEqual([configurations.fargate.alarmTopicArn]);
    }
    expect(alarms.find(({ AlarmName }) => AlarmName.endsWith('NoHealthyTask'))?.TreatMissingData).toBe(
      'breaching',
    );
  });
});

describe('a VPC of the stack’s own', () => {
  it('has endpoints for all that a task asks of AWS, which take nobody but the tasks', () => {
    const endpoints = Object.values(own.findResources('AWS::EC2::VPCEndpoint')).map(
      ({ Properties }) => Properties,
    );
    const names = endpoints.map(
      ({ ServiceName }) => JSON.stringify(ServiceName).match(/"\.([a-z0-9.]+)"/)?.[1],
    );
    expect(names.sort()).toEqual(['ecr.api', 'ecr.dkr', 'logs', 's3', 'secretsmanager']);
    const group = only(own, 'AWS::EC2::SecurityGroupIngress', 'VpcEndpointSecurityGroup');
    expect(group).toMatchObject({
      FromPort: 443,
      SourceSecurityGroupId: { 'Fn::GetAtt': [expect.stringMatching(/TaskSecurityGroup/), 'GroupId'] },
    });
  });

  it.each([
    ['one, for the key sets of issuers', { issuers: configurations['fargate-own-vpc'].issuers }, 1],
    ['one, for ECR Public, which has no VPC endpoint', { repositories: { 'ecr-public': ['team-a/app'] } }, 1],
    ['none where nobody outside is asked', {}, 0],
  ])('has NAT gateways: %s', (_, members, count) => {
    const { repositories, registryEndpoint } = configurations['fargate-own-vpc'];
    const { template } = synthesize({ repositories, registryEndpoint, ...members });
    template.resourceCountIs('AWS::EC2::NatGateway', count);
  });

  it('has a table’s endpoint where quotas are counted, and no public subnet where nobody needs one', () => {
    const { repositories, registryEndpoint } = configurations['fargate-own-vpc'];
    const { policyDirectory } = configurations.fargate;
    const { template } = synthesize({
      repositories,
      policyDirectory,
      registryEndpoint: { ...registryEndpoint, scheme: 'internal', vpcCidr: '10.20.0.0/20' },
    });
    expect(JSON.stringify(template.findResources('AWS::EC2::VPCEndpoint'))).toContain('.dynamodb');
    template.resourceCountIs('AWS::EC2::InternetGateway', 0);
    template.hasResourceProperties('AWS::EC2::VPC', { CidrBlock: '10.20.0.0/20' });
  });

  it('gives no task a public address, and logs its flows', () => {
    own.hasResourceProperties('AWS::ECS::Service', {
      NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'DISABLED' } },
    });
    own.resourceCountIs('AWS::EC2::FlowLog', 1);
  });
});

describe('a web function', () => {
  const revision = only(web, 'AWS::Lambda::WebFunctionRevision');
  const name = revision.FunctionName;

  it('is called by its name everywhere, which ends in the region', () => {
    expect(name).toEqual({ 'Fn::Join': ['', [expect.stringMatching(/^[\w-]+-$/), { Ref: 'AWS::Region' }]] });
    const [[start]] = [name['Fn::Join'][1]];
    expect(`${start}ap-northeast-1`.length).toBeLessThanOrEqual(64);
    for (const type of ['', 'Endpoint'].map((suffix) => `AWS::Lambda::WebFunction${suffix}`)) {
      web.allResourcesProperties(type, { FunctionName: name });
    }
  });

  it('authenticates by itself, and is given one revision by its id', () => {
    web.allResourcesProperties('AWS::Lambda::WebFunctionEndpoint', {
      AuthType: 'ApplicationManaged',
      EndpointType: 'HomeRegion',
      RevisionWeights: [
        { RevisionId: { 'Fn::GetAtt': [Match.stringLikeRegexp('Revision'), 'RevisionId'] }, Weight: 100 },
      ],
    });
  });

  it('sends clients to a new revision once that was healthy at an endpoint of its own', () => {
    const endpoints = Object.entries(web.findResources('AWS::Lambda::WebFunctionEndpoint'));
    const [served] = endpoints.filter(([, { Properties }]) => Properties.EndpointName === 'registry');
    const [candidate] = endpoints.filter(([, { Properties }]) => Properties.EndpointName === 'candidate');
    const [health] = Object.entries(web.findResources('AWS::CloudFormation::CustomResource')).filter(
      ([, { Properties }]) => Properties.Url,
    );
    expect(served?.[1].DependsOn).toContain(health?.[0]);
    expect(JSON.stringify(health?.[1].Properties.Url)).toContain(candidate?.[0]);
    expect(health?.[1].Properties.RevisionId).toEqual(served?.[1].Properties.RevisionWeights[0].RevisionId);
  });

  it('has fifteen minutes for a request, and no more requests at once than it has memory for uploads', () => {
    expect(revision.ServiceConfig).toMatchObject({ TimeoutSeconds: 900 });
    const { MaxConcurrencyPerEnvironment: most } = revision.ServiceConfig;
    expect(most * mebibytesPerUpload + idleMebibytes).toBeLessThanOrEqual(2_048);
    expect(revision.ServiceConfig.EnvironmentVariables).toMatchObject({
      MAX_UPLOADS: String(most),
      PORT: '3000',
      AWS_LAMBDA_NODEJS_ENTRYPOINT: 'server.mjs',
    });
  });

  it('has its code in a versioned bucket that Lambda may read for this function alone', () => {
    web.hasResourceProperties('AWS::S3::Bucket', { VersioningConfiguration: { Status: 'Enabled' } });
    const policies = JSON.stringify(web.findResources('AWS::S3::BucketPolicy'));
    expect(policies).toMatch(/"aws:SourceArn":.*:web-function\/.*\/\*/);
    expect(revision.BuildConfig.CodeConfig.S3Object.VersionId).toEqual({
      'Fn::GetAtt': [expect.stringMatching(/CodeCopy/), 'VersionId'],
    });
    expect(actionsOf(web, 'CodeCopy').filter((action) => action.startsWith('s3:'))).toEqual([
      's3:GetObject',
      's3:PutObject',
    ]);
  });

  it('may write to its two log groups, and nothing of ECS or S3', () => {
    const actions = actionsOf(web, 'RegistryEndpointRole');
    expect(actions.filter((action) => /^(?:ecs|s3):/.test(action))).toEqual([]);
    const groups = Object.values(web.findResources('AWS::Logs::LogGroup'));
    expect(JSON.stringify(groups)).toContain('.local');
  });

  const inRegion = (region: string) => () =>
    new EcrUploadProxy(
      new Stack(new App({ context: { 'aws:cdk:bundling-stacks': [] } }), 'Uploads', { env: { region } }),
      'Proxy',
      { repositories: { ecr: ['team-a/*'] }, registryEndpoint: { host: 'web-function' } },
    );

  it('is refused in a region that has none, and taken in one that has', () => {
    expect(inRegion('eu-south-2')).toThrow(
      /stack is in eu-south-2\.\nregistryEndpoint\.host: expected fargate/,
    );
    expect(inRegion('eu-central-1')).not.toThrow();
  });
});

describe('a custom resource', () => {
  type Answer = { Status: string; Reason?: string; Data?: object; PhysicalResourceId: string };
  type Fetch = (url: string, init: { body?: string }) => Promise<object>;

  /** Runs what stands in the template, with a network and an SDK of the test's. */
  async function answerOf(work: string, event: object, network: Fetch, sdk: object = {}): Promise<Answer> {
    const exported: { handler?: (event: object, context: object) => Promise<void> } = {};
    let answer: Answer | undefined;
    const fetching: Fetch = async (url, init) => {
      if (url === 'https://cloudformation.example') {
        answer = JSON.parse(init.body ?? '');
        return {};
      }
      return network(url, init);
    };
    const names = ['exports', 'require', 'fetch', 'setTimeout'];
    const now = (resolve: () => void) => resolve();
    new Function(...names, inlineSource(work))(exported, () => sdk, fetching, now);
    const common = {
      RequestType: 'Update',
      ResponseURL: 'https://cloudformation.example',
      StackId: 'stack',
      RequestId: 'request',
      LogicalResourceId: 'Health',
    };
    await exported.handler?.({ ...common, ...event }, { getRemainingTimeInMillis: () => 30_050 });
    expect(answer).toMatchObject({ StackId: 'stack', RequestId: 'request', PhysicalResourceId: 'Health' });
    return answer ?? expect.fail('nothing was answered');
  }
  const ResourceProperties = { Url: 'https://candidate.example/healthz' };

  it('waits until a new revision is healthy', async () => {
    const statuses = [503, 503, 200];
    const network = async () => ({ status: statuses.shift() });
    const answer = await answerOf(probeWork, { ResourceProperties }, network);
    expect(answer).toMatchObject({ Status: 'SUCCESS' });
    expect(statuses).toEqual([]);
  });

  it('lets the deployment fail with a revision that does not answer', async () => {
    const network = async () => {
      throw new TypeError('fetch failed');
    };
    const answer = await answerOf(probeWork, { ResourceProperties }, network);
    expect(answer.Status).toBe('FAILED');
    expect(answer.Reason).toContain('https://candidate.example/healthz: TypeError');
  });

  it('does nothing where it goes', async () => {
    const network = () => expect.fail('somebody was asked');
    const answer = await answerOf(probeWork, { RequestType: 'Delete', ResourceProperties }, network);
    expect(answer.Status).toBe('SUCCESS');
  });

  it('copies the code and tells its version', async () => {
    const inputs: object[] = [];
    const sdk = {
      CopyObjectCommand: class {
        constructor(input: object) {
          inputs.push(input);
        }
      },
      S3Client: class {
        send = async () => ({ VersionId: 'v1' });
      },
    };
    const properties = { Bucket: 'code', Key: 'a.zip', CopySource: 'assets/a.zip' };
    const answer = await answerOf(copyWork, { ResourceProperties: properties }, async () => ({}), sdk);
    expect(answer).toMatchObject({ Status: 'SUCCESS', Data: { VersionId: 'v1' } });
    expect(inputs).toEqual([properties]);
  });
});

describe('a configuration', () => {
  const fargate = configurations['fargate-own-vpc'].registryEndpoint;
  const read = (registryEndpoint: object, more: object = {}) =>
    readConfiguration({ repositories: { ecr: ['team-a/*'] }, registryEndpoint, ...more });

  it.each<[string, object, RegExp, object?]>([
    ['no host', {}, /registryEndpoint.*: expected an object that holds host: fargate or web-function/],
    ['another host', { host: 'lambda' }, /registryEndpoint.*: expected an object that holds host/],
    [
      'an image by its tag',
      { ...fargate, image: 'a/b:1' },
      /registryEndpoint\.image: expected what "npm run registry-image" prints/,
    ],
    [
      'no domain',
      { ...fargate, domain: undefined },
      /registryEndpoint\.domain: expected an object that holds name/,
    ],
    [
      'a member of the other host',
      { ...fargate, rateLimit: 100 },
      /registryEndpoint\.rateLimit: not a member/,
    ],
    [
      'memory that goes with another CPU',
      { ...fargate, memoryMegabytes: 1_024 },
      /memoryMegabytes: expected a number of MiB from 2048 to 8192/,
    ],
    ['half a vCPU too few', { ...fargate, cpu: 256 }, /cpu: expected one of 512, 1024/],
    [
      'fewer tasks at most than at least',
      { ...fargate, tasks: { min: 3, max: 2 } },
      /tasks: expected an object that holds min and max/,
    ],
    [
      'a load balancer in one subnet',
      {
        ...fargate,
        network: {
          vpcId: 'vpc-0123456789abcdef0',
          loadBalancerSubnetIds: ['subnet-0123456789abcdef0'],
          taskSubnetIds: ['subnet-0123456789abcdef0'],
        },
      },
      /loadBalancerSubnetIds: expected a list of two subnet ids/,
    ],
    [
      'a public range for a VPC',
      { ...fargate, vpcCidr: '8.8.0.0/16' },
      /vpcCidr: expected a private IPv4 range/,
    ],
    [
      'an idle timeout that cuts the end of an upload',
      { ...fargate, idleTimeoutSeconds: 30 },
      /idleTimeoutSeconds: expected a number of seconds from 50 on/,
    ],
    [
      'a delay that cuts who only waits',
      { ...fargate, idleTimeoutSeconds: 700 },
      /deregistrationDelaySeconds: expected at least idleTimeoutSeconds/,
    ],
    [
      'a delay shorter than a task’s end',
      { ...fargate, idleTimeoutSeconds: 60, deregistrationDelaySeconds: 60 },
      /deregistrationDelaySeconds: expected at least 120/,
    ],
    [
      'more ranges than a security group has',
      { ...fargate, allowedIpRanges: Array.from({ length: 61 }, (_, n) => `10.0.${n}.0/24`) },
      /allowedIpRanges: expected 1 to 60 IPv4 ranges/,
    ],
    [
      'a registry without repositories',
      { ...fargate, registry: 'ecr-public' },
      /registry: expected a registry that repositories names some of/,
    ],
    [
      'a rate that Lambda does not take',
      { host: 'web-function', rateLimit: 150 },
      /rateLimit: expected one of 0, 100, 200/,
    ],
    [
      'one environment',
      { host: 'web-function', maxEnvironments: 1 },
      /maxEnvironments: expected a number of execution environments from 2/,
    ],
    [
      'an open endpoint beside closed ranges',
      { host: 'web-function' },
      /registryEndpoint\.host: expected fargate, for a web function is open to every address and allowedIpRanges/,
      { allowedIpRanges: ['10.0.0.0/8'] },
    ],
    [
      'an open endpoint beside a private API',
      { host: 'web-function' },
      /vpcEndpointIds cannot hold there/,
      { vpcEndpointIds: ['vpce-0123456789abcdef0'] },
    ],
  ])('with %s is refused, with what was expected', (_, registryEndpoint, message, more) => {
    expect(() => read(registryEndpoint, more)).toThrow(message);
  });

  it('may say that an open endpoint is meant', () => {
    const more = { allowedIpRanges: ['10.0.0.0/8'] };
    expect(() => read({ host: 'web-function', allowAnyAddress: true }, more)).not.toThrow();
  });
});

describe('docs/registry-endpoint.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/registry-endpoint.md'), 'utf8');

  it.each(Object.keys({ ...fargateAlarms, ...webFunctionAlarms }))(
    'says what to do when %s rings',
    (name) => {
      expect(page).toContain(`### ${name}\n`);
    },
  );

  it.each([
    ['tasks of 1 vCPU and 2 GB, arm64 | 2', 2 * monthly.task(1_024, 2_048), 2],
    ['load balancer | 1', monthly.loadBalancer, 2],
    ['its public addresses, in two zones | 2', 2 * monthly.publicAddress, 2],
    ["interface endpoints of the stack's own VPC | 4 in 2 zones", monthly.interfaceEndpoints(4, 2), 2],
    ['NAT gateway with its address, where issuers or ECR Public are asked | 1', monthly.natGateway, 2],
    ['load balancer, of which a capacity unit is a GB in an hour', perGibibyte.loadBalancer, 4],
    ['through the interface endpoint of ECR', perGibibyte.interfaceEndpoint, 4],
    ['through a NAT gateway', perGibibyte.natGateway, 4],
  ])('reckons as lib/monitoring/prices.ts does: %s', (what, usd, digits) => {
    const row = page.split('\n').find((line) => line.startsWith(`| ${what} | `));
    // A half cent is rounded up.
    expect(row).toBe(
      `| ${what} | ${(Math.round(usd * 10 ** digits + 1e-9) / 10 ** digits).toFixed(digits)} |`,
    );
  });

  it.each([
    ['the tasks’', given, 'RegistryEndpointTaskRole'],
    ['that starts the tasks', given, 'RegistryEndpointServiceExecutionRole'],
    ['the flow log’s, in the stack’s own VPC', own, 'FlowLogRole'],
    ['the web function’s', web, 'RegistryEndpointRole'],
    ['that copies the web function’s code', web, 'CodeCopyRole'],
    ['that asks for its health', web, 'HealthRole'],
  ])('says what the role %s may do, beside what a function may', (role, template, id) => {
    const [, row = ''] = new RegExp(`^\\| ${role.replaceAll('’', "'")} \\| (.*) \\|$`, 'm').exec(page) ?? [];
    const said = [...row.matchAll(/`([a-z0-9]+:\w+)`/g)].map(([, action]) => action);
    const logs = row.endsWith('its log') ? ['logs:CreateLogStream', 'logs:PutLogEvents'] : [];
    const isServer = ['TaskRole', 'EndpointRole'].some((end) => id.endsWith(end));
    const actions = actionsOf(template, id).filter((action) => !isServer || /^(?:ecs|logs|s3):/.test(action));
    expect([...said, ...logs].sort()).toEqual(actions);
  });

  it('names every member of either host', () => {
    const documented = [...page.matchAll(/^\| `(\w+)`(?:, `(\w+)`)*/gm)].flatMap(([line]) =>
      [...line.matchAll(/`(\w+)`/g)].map(([, member]) => member),
    );
    expect(new Set(documented)).toEqual(new Set(memberNames));
  });
});

describe('a stack without an endpoint', () => {
  it('has nothing of one', () => {
    const { template } = synthesize(configurations.default);
    expect(JSON.stringify(template.toJSON())).not.toContain('RegistryEndpoint');
  });
});

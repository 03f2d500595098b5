// The stack in its main configurations: synthesized without bundling, quickly, or assembled to run; no AWS account.

import { rmSync } from 'node:fs';
import { App, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { vi } from 'vitest';
import { z } from 'zod';
import cdk from '../../cdk.json' with { type: 'json' };
import {
  type ConfigurationInput,
  contextKey,
  readConfiguration,
} from '../../lib/configuration/configuration.ts';
import { EcrUploadProxyStack } from '../../lib/stack.ts';
import { policiesBeside } from './policy-directory.ts';

const account = '123456789012';
const domain = {
  name: 'images.example.com',
  certificateArn: `arn:aws:acm:eu-central-1:${account}:certificate/11111111-2222-3333-4444-555555555555`,
};
const truststore = { truststoreUri: 's3://example-truststore/clients/ca.pem', truststoreVersion: 'v1' };

/** The policies that deploy, with a quota beside them; gone when the process ends. */
function policiesWithQuota(): string {
  const directory = policiesBeside({ 'quotas.yaml': '- name: daily\n  client: "*"\n  bytesPerDay: 1000\n' });
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Of an image that nobody has made: it is compared with the code where that is bundled. */
const image = `${account}.dkr.ecr.eu-central-1.amazonaws.com/ops/registry-endpoint:${'a'.repeat(64)}@sha256:${'b'.repeat(64)}`;
const registryDomain = { name: 'push.example.com', certificateArn: domain.certificateArn };

export const configurations = {
  default: { repositories: cdk.context[contextKey].repositories },
  private: {
    repositories: { ecr: ['team-a/*'] },
    vpcEndpointIds: ['vpce-0123456789abcdef0', 'vpce-0123456789abcdef1'],
    allowedIpRanges: ['10.1.0.0/16'],
  },
  'custom-domain': { repositories: { ecr: ['team-a/*'] }, domain: { ...domain, mutualTls: truststore } },
  public: {
    repositories: { 'ecr-public': ['team-a/app'] },
    clientThrottling: { requestsPerMinutePerAddress: 1_200, requestsPerMinutePerToken: 600 },
    reservedConcurrentExecutions: { UploadLayerPart: 50 },
  },
  fargate: {
    repositories: { ecr: ['team-a/*'], 'ecr-public': ['team-a/app'] },
    policyDirectory: policiesWithQuota(),
    kmsKeyArn: `arn:aws:kms:eu-central-1:${account}:key/11111111-2222-3333-4444-555555555555`,
    permissionsBoundaryArn: `arn:aws:iam::${account}:policy/boundary`,
    alarmTopicArn: `arn:aws:sns:eu-central-1:${account}:alarms`,
    registryEndpoint: {
      host: 'fargate',
      image,
      domain: { ...registryDomain, mutualTls: truststore },
      scheme: 'internal',
      network: {
        vpcId: 'vpc-0123456789abcdef0',
        loadBalancerSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
        taskSubnetIds: ['subnet-0123456789abcdef2', 'subnet-0123456789abcdef3'],
      },
      allowedIpRanges: ['10.1.0.0/16', '10.2.0.0/16'],
      webAclArn: `arn:aws:wafv2:eu-central-1:${account}:regional/webacl/edge/11111111-2222-3333-4444-555555555555`,
      accessLogBucket: 'example-access-logs',
    },
  },
  'fargate-own-vpc': {
    repositories: { ecr: ['team-a/*'] },
    issuers: [
      { issuer: 'https://token.actions.githubusercontent.com', audience: 'https://images.example.com' },
    ],
    registryEndpoint: { host: 'fargate', image, domain: registryDomain },
  },
  'web-function': { repositories: { ecr: ['team-a/*'] }, registryEndpoint: { host: 'web-function' } },
  everything: {
    stackName: 'Everything',
    terminationProtection: true,
    tags: { team: 'platform' },
    repositories: { ecr: ['team-a/*', '*'], 'ecr-public': ['team-a/*'] },
    allowEveryRepository: true,
    registryIds: ['210987654321'],
    registryAliases: ['example'],
    policyDirectory: policiesWithQuota(),
    issuers: [
      { issuer: 'https://token.actions.githubusercontent.com', audience: 'https://images.example.com' },
      {
        issuer: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_example',
        audience: ['pipeline', 'release'],
        audienceClaim: 'client_id',
      },
    ],
    domain: {
      ...domain,
      mutualTls: { ...truststore, ownershipVerificationCertificateArn: domain.certificateArn },
    },
    allowedIpRanges: ['203.0.113.0/24', '2001:db8::/32'],
    webAclArn: `arn:aws:wafv2:eu-central-1:${account}:regional/webacl/edge/11111111-2222-3333-4444-555555555555`,
    throttling: { requestsPerSecond: 100, burst: 200 },
    memorySizeMegabytes: 3_008,
    reservedConcurrentExecutions: 50,
    permissionsBoundaryArn: `arn:aws:iam::${account}:policy/boundary`,
    logRetentionDays: 365,
    kmsKeyArn: `arn:aws:kms:eu-central-1:${account}:key/11111111-2222-3333-4444-555555555555`,
    removalPolicy: 'destroy',
    setAccountLogRole: true,
    alarmTopicArn: `arn:aws:sns:eu-central-1:${account}:alarms`,
  },
} as const satisfies Record<string, DeepReadonly<ConfigurationInput>>;

type DeepReadonly<T> = { readonly [Key in keyof T]: DeepReadonly<T[Key]> };

export const configurationNames = Object.keys(configurations) as readonly (keyof typeof configurations)[];

type Plugin = Parameters<Validations['addPlugins']>[0];

/** @param plugins made for the app, and asked before anything is written */
export function synthesize(configuration: object, plugins: (app: App) => Plugin[] = () => []) {
  const app = new App({ context: { ...cdk.context, 'aws:cdk:bundling-stacks': [] } });
  Validations.of(app).addPlugins(...plugins(app));
  const stack = new EcrUploadProxyStack(app, 'Test', readConfiguration(configuration));
  return { app, stack, template: Template.fromStack(stack) };
}

/**
 * The stack with its bundles, as it deploys.
 *
 * @returns the directory of its cloud assembly, in the temporary folder
 */
export function assemble(configuration: object): string {
  const silenced = vi.spyOn(process.stderr, 'write').mockReturnValue(true); // The CDK names what it bundles.
  try {
    const app = new App({ context: cdk.context });
    new EcrUploadProxyStack(app, 'Test', readConfiguration(configuration));
    return app.synth().directory;
  } finally {
    silenced.mockRestore();
  }
}

/** A longer one, such as a dashboard's, keeps a line for each of its parts. */
const maxJoinLength = 300;

const textOfPart = z.union([
  z.string().transform((text) => text.replaceAll('${', '${!')),
  z.strictObject({ Ref: z.string() }).transform(({ Ref }) => `\${${Ref}}`),
  z
    .strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) })
    .transform(({ 'Fn::GetAtt': names }) => `\${${names.join('.')}}`),
]);

const joinOfText = z
  .strictObject({ 'Fn::Join': z.tuple([z.literal(''), z.array(textOfPart)]) })
  .transform(({ 'Fn::Join': [, parts] }) => parts.join(''));

/** `{ "Fn::Join": ["", ["arn:", { "Ref": "AWS::Partition" }]] }` is `{ "Fn::Join": "arn:${AWS::Partition}" }`. */
function withJoinsAsText(_key: string, value: unknown): unknown {
  const { success, data } = joinOfText.safeParse(value);
  return success && data.length <= maxJoinLength ? { 'Fn::Join': data } : value;
}

/** To be read, and without what changes with every line of the functions' code. */
export const readable = (template: Template): Readonly<Record<string, unknown>> =>
  z.record(z.string(), z.unknown()).parse(
    JSON.parse(
      JSON.stringify(template.toJSON())
        .replaceAll(/[0-9a-f]{64}/g, 'ASSET-HASH')
        .replaceAll(/(ApiDeployment[0-9A-F]{8})[0-9a-f]{32}/g, '$1HASH'),
      withJoinsAsText,
    ),
  );

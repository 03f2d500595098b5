// What an operator decides of the registry endpoint: which host serves it, and how clients reach that.

import { z } from 'zod';
import {
  certificateArn,
  domainName,
  listOf,
  text,
  truststore,
  webAclArn,
  wholeNumber,
} from '../configuration/configuration-values.ts';
import { cpus, expectedMemory } from './fargate-sizes.ts';
import { imageReference } from './image-reference.ts';
import { timeConflicts } from './times.ts';
import { rateLimits } from './web-function-limits.ts';

const seconds = (min: number, max: number) =>
  wholeNumber(min, max, `a number of seconds from ${min} to ${max}`);
const count = (min: number, max: number, what: string) =>
  wholeNumber(min, max, `a number of ${what} from ${min} to ${max}`);
const subnet = 'a subnet id, such as subnet-0123456789abcdef0';
const subnetId = text(/^subnet-[0-9a-f]{8,17}$/, subnet);
const subnetIds = listOf(subnetId, subnet);
const twoSubnets = 'a list of two subnet ids or more, each in another availability zone';
const ipv4RangeText = 'an IPv4 range, such as 203.0.113.0/24';
const cidr = 'a private IPv4 range of 16 to 24 bits, such as 10.0.0.0/16';

/** What both hosts have. */
const common = {
  /** Which registry `/v2/` stands for; without it, the first that `repositories` names. */
  registry: z.enum(['ecr', 'ecr-public'], 'ecr or ecr-public').optional(),
  /** How the bytes of a blob reach who reads it: from S3, or through the endpoint. */
  blobs: z.enum(['redirect', 'stream'], 'redirect or stream').default('redirect'),
  /** Of one server: a task, or an execution environment. */
  maxUploadsPerClient: count(1, 1_000, 'uploads').default(10),
};

const network = z.strictObject(
  {
    vpcId: text(/^vpc-[0-9a-f]{8,17}$/, 'a VPC id, such as vpc-0123456789abcdef0'),
    loadBalancerSubnetIds: z.array(subnetId, twoSubnets).min(2, twoSubnets),
    taskSubnetIds: subnetIds,
    /** For tasks in public subnets without a NAT gateway. */
    assignPublicIp: z.boolean('true or false').default(false),
  },
  'an object that holds vpcId, loadBalancerSubnetIds and taskSubnetIds',
);

const tasksText = 'an object that holds min and max, numbers from 1 to 100 of which min is not above max';
const tasks = z
  .strictObject({ min: wholeNumber(1, 100, tasksText), max: wholeNumber(1, 100, tasksText) }, tasksText)
  .refine(({ min, max }) => min <= max, tasksText);

const fargate = z.strictObject({
  ...common,
  host: z.literal('fargate'),
  image: imageReference,
  domain: z.strictObject(
    { name: domainName, certificateArn, mutualTls: truststore.optional() },
    'an object that holds name and certificateArn',
  ),
  /** Lets clients in without a certificate although the API demands one. */
  allowWithoutCertificate: z.boolean('true or false').default(false),
  /** Without it internal where the API is private (`vpcEndpointIds`), and internet-facing elsewhere. */
  scheme: z.enum(['internet-facing', 'internal'], 'internet-facing or internal').optional(),
  /** Without it, a VPC of the stack's own. */
  network: network.optional(),
  /** Of the stack's own VPC. */
  vpcCidr: text(/^(?:10|172\.(?:1[6-9]|2\d|3[01])|192\.168)(?:\.\d{1,3}){2,3}\/(?:1[6-9]|2[0-4])$/, cidr)
    .refine((range) => z.cidrv4().safeParse(range).success, cidr)
    .default('10.0.0.0/16'),
  /** Without it, those of the API. The load balancer has no IPv6 address. */
  allowedIpRanges: listOf(z.cidrv4(ipv4RangeText), ipv4RangeText).optional(),
  webAclArn: webAclArn.optional(),
  /** Where the load balancer writes its access log. */
  accessLogBucket: text(/^[a-z0-9.-]{3,63}$/, 'the name of an S3 bucket').optional(),
  cpu: z.literal(cpus, `one of ${cpus.join(', ')}`).default(1_024),
  memoryMegabytes: z.int('a number of MiB').default(2_048),
  tasks: tasks.default({ min: 2, max: 6 }),
  idleTimeoutSeconds: seconds(1, 4_000).default(120),
  deregistrationDelaySeconds: seconds(0, 3_600).default(600),
});

const webFunction = z.strictObject({
  ...common,
  host: z.literal('web-function'),
  /** Lets the endpoint be open to every address although the API is not. */
  allowAnyAddress: z.boolean('true or false').default(false),
  maxEnvironments: count(2, 10_000, 'execution environments').default(20),
  rateLimit: z.literal(rateLimits, `one of ${rateLimits.join(', ')}`).default(1_000),
});

export const registryEndpoint = z.discriminatedUnion(
  'host',
  [fargate, webFunction],
  'an object that holds host: fargate or web-function',
);

/** Of either host. */
export const memberNames: readonly string[] = [
  ...new Set([...Object.keys(fargate.shape), ...Object.keys(webFunction.shape)]),
].filter((name) => name !== 'host');

export type RegistryEndpointConfiguration = z.output<typeof registryEndpoint>;
export type FargateConfiguration = z.output<typeof fargate>;
export type WebFunctionConfiguration = z.output<typeof webFunction>;

type Conflict = { path: (string | number)[]; message: string };

/** The members of the whole configuration that the endpoint has to agree with. */
type StackSettings = {
  repositories: Readonly<Partial<Record<'ecr' | 'ecr-public', readonly string[] | undefined>>>;
  registryEndpoint?: RegistryEndpointConfiguration | undefined;
  allowedIpRanges?: readonly string[] | undefined;
  vpcEndpointIds?: readonly string[] | undefined;
  domain?: { mutualTls?: object | undefined } | undefined;
};

/** A security group takes 60 rules in each direction. Source: Amazon VPC quotas. */
const maxIpRanges = 60;

/** Who may reach the load balancer; undefined for anybody. */
export const ipv4RangesOf = (
  endpoint: Pick<FargateConfiguration, 'allowedIpRanges'>,
  ofApi: readonly string[] | undefined,
): readonly string[] | undefined =>
  endpoint.allowedIpRanges ?? ofApi?.filter((range) => !range.includes(':'));

function fargateConflicts(
  endpoint: FargateConfiguration,
  { allowedIpRanges, domain }: StackSettings,
): Conflict[] {
  const memory = expectedMemory(endpoint.cpu, endpoint.memoryMegabytes);
  const ranges = ipv4RangesOf(endpoint, allowedIpRanges);
  return [
    ...(memory === undefined ? [] : [{ path: ['memoryMegabytes'], message: memory }]),
    ...(ranges && (ranges.length === 0 || ranges.length > maxIpRanges)
      ? [
          {
            path: ['allowedIpRanges'],
            message: `1 to ${maxIpRanges} IPv4 ranges, which is what a security group takes; without it, those of the API are taken`,
          },
        ]
      : []),
    ...(domain?.mutualTls && !endpoint.domain.mutualTls && !endpoint.allowWithoutCertificate
      ? [
          {
            path: ['domain', 'mutualTls'],
            message:
              'a truststore, for the API demands client certificates and this endpoint would not; or allowWithoutCertificate: true',
          },
        ]
      : []),
    ...timeConflicts(endpoint).map(({ member, expected }) => ({ path: [member], message: expected })),
  ];
}

/** What limits who reaches the API, and cannot limit who reaches a web function. */
function webFunctionConflicts(endpoint: WebFunctionConfiguration, stack: StackSettings): Conflict[] {
  const limits = [
    ...(stack.allowedIpRanges ? ['allowedIpRanges'] : []),
    ...(stack.vpcEndpointIds ? ['vpcEndpointIds'] : []),
    ...(stack.domain?.mutualTls ? ['domain.mutualTls'] : []),
  ];
  return limits.length === 0 || endpoint.allowAnyAddress
    ? []
    : [
        {
          path: ['host'],
          message: `fargate, for a web function is open to every address and ${limits.join(', ')} cannot hold there; or allowAnyAddress: true`,
        },
      ];
}

/** Members that are right by themselves, and wrong together. */
export function registryEndpointConflicts(configuration: StackSettings): Conflict[] {
  const { registryEndpoint: endpoint, repositories } = configuration;
  if (!endpoint) {
    return [];
  }
  const { registry } = endpoint;
  const found = [
    ...(registry && !repositories[registry]?.length
      ? [{ path: ['registry'], message: 'a registry that repositories names some of' }]
      : []),
    ...(endpoint.host === 'fargate'
      ? fargateConflicts(endpoint, configuration)
      : webFunctionConflicts(endpoint, configuration)),
  ];
  return found.map(({ path, message }) => ({ path: ['registryEndpoint', ...path], message }));
}

// Each member that an operator decides, with the words that say what was expected.

import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { z } from 'zod';
import { issuers } from '../../api/issuers.ts';
import { operationNames } from '../../api/operations.ts';
import { type Registry, registries } from '../../api/registries.ts';
import { maxSessionMinutes, sessionTokenExchange } from '../../api/session-tokens.ts';
import { registryEndpoint } from '../registry-endpoint/configuration.ts';
import {
  arn,
  certificateArn,
  domainName,
  ipRange,
  ipRangeText,
  listOf,
  text,
  truststore,
  webAclArn,
  wholeNumber,
} from './configuration-values.ts';

const names = 'a list of repository names, or patterns such as team-a/*';

/** Repository names as in IAM's ARNs, where `*` stands for any characters, `/` among them. */
function repositoryNames(registry: Registry) {
  const { pattern, maxLength } = registries[registry].repositoryName;
  const expected = `a repository name, or a pattern such as team-a/*, of up to ${maxLength} characters`;
  return z.array(
    z
      .string(expected)
      .max(maxLength, expected)
      .refine((name) => pattern.test(name.replaceAll('*', 'aa')), expected),
    names,
  );
}

const account = 'an AWS account id of 12 digits';
const accountId = text(/^\d{12}$/, account);
const alias = 'an alias of the account’s registry at ECR Public, of 2 to 50 characters';
const registryAlias = text(registries['ecr-public'].registryId.pattern, alias)
  .max(50, alias)
  .refine((name) => !accountId.safeParse(name).success, alias);
const retentionDays: readonly unknown[] = Object.values(RetentionDays).filter(Number.isInteger);
const logRetention = 'a number of days that CloudWatch Logs knows, such as 7, 30, 90 or 365';
const vpcEndpoint = 'a VPC endpoint id, such as vpce-0123456789abcdef0';
const requests = 'a number of requests from 1 to 10000';
const functionNames = [...operationNames, 'AwsDoor', sessionTokenExchange.name] as const;
const functions = `a number of instances from 1 to 1000, or an object of such numbers by function: ${functionNames.join(', ')}`;
const requestsPerMinute = 'a number of requests in a minute, from 10 to 1000000';

const tagNames = 'names of 1 to 128 characters that do not begin with aws:';
const tagValues = 'values of up to 256 characters';

const mutualTls = truststore.extend({
  /** For a certificate that ACM did not issue: one that it did, for the same name, which proves whose it is. */
  ownershipVerificationCertificateArn: certificateArn.optional(),
});

const domain = z.strictObject(
  {
    name: domainName,
    /** In the region of the stack. */
    certificateArn,
    mutualTls: mutualTls.optional(),
  },
  'an object that holds name and certificateArn',
);

const throttling = z.strictObject(
  {
    requestsPerSecond: wholeNumber(1, 10_000, requests),
    burst: wholeNumber(1, 10_000, requests),
  },
  'an object that holds requestsPerSecond and burst',
);

const sessionTokensText = `false, or an object that holds maxMinutes, a number of minutes from 1 to ${maxSessionMinutes}`;

const sessionTokens = z.union(
  [
    z.literal(false),
    z.strictObject({ maxMinutes: wholeNumber(1, maxSessionMinutes, sessionTokensText) }, sessionTokensText),
  ],
  sessionTokensText,
);

const clientThrottlingText =
  'an object that holds requestsPerMinutePerAddress, requestsPerMinutePerToken or both';

/** WAF counts from 10 on. Source: the AWS WAF API reference, RateBasedStatement. */
const clientThrottling = z
  .strictObject(
    {
      requestsPerMinutePerAddress: wholeNumber(10, 1_000_000, requestsPerMinute).optional(),
      requestsPerMinutePerToken: wholeNumber(10, 1_000_000, requestsPerMinute).optional(),
    },
    clientThrottlingText,
  )
  .refine((limits) => Object.values(limits).some((limit) => limit !== undefined), clientThrottlingText);

/** One block per concern; each member becomes a prop of {@link EcrUploadProxyProps} in lib/stack.ts. */
const members = {
  stackName: text(
    /^[A-Za-z][A-Za-z0-9-]{0,127}$/,
    'a CloudFormation stack name: a letter, then letters, digits and hyphens, up to 128',
  ).default('EcrUploadProxy'),
  terminationProtection: z.boolean('true or false').default(false),
  /** On every resource that takes tags. */
  tags: z
    .record(
      z
        .string(tagNames)
        .min(1, tagNames)
        .max(128, tagNames)
        .refine((name) => !/^aws:/i.test(name), tagNames),
      z.string(tagValues).max(256, tagValues),
      'an object of names and values',
    )
    .default({}),

  // What may be reached, and who decides.
  repositories: z
    .strictObject(
      { ecr: repositoryNames('ecr').optional(), 'ecr-public': repositoryNames('ecr-public').optional() },
      `per registry, ${names}`,
    )
    .refine(
      (registry) => Object.values(registry).some((list) => list?.length),
      `for ecr or ecr-public, ${names}`,
    ),
  /** Lets a pattern begin with `*`, and so hold every repository there is. */
  allowEveryRepository: z.boolean('true or false').default(false),
  registryIds: listOf(accountId, account).optional(),
  /** Of the stack's own account, at ECR Public. */
  registryAliases: listOf(registryAlias, alias).optional(),
  /** Without it, the policies that ship. */
  policyDirectory: z.string('the path of a directory').min(1, 'the path of a directory').optional(),

  // Who may call, besides the clients with the operator's tokens.
  /** Whose OIDC tokens are taken, each with the audience that they must have. */
  issuers: issuers.default([]),
  /** Lets an issuer be http on this machine, for tests. */
  allowLoopbackIssuers: z.boolean('true or false').default(false),

  /** How long the tokens live that a client may have for its own; false for none. */
  sessionTokens: sessionTokens.default({ maxMinutes: maxSessionMinutes }),

  // How clients come in.
  vpcEndpointIds: listOf(text(/^vpce-[0-9a-f]{8,17}$/, vpcEndpoint), vpcEndpoint).optional(),
  domain: domain.optional(),
  allowedIpRanges: listOf(ipRange, ipRangeText).optional(),
  webAclArn: webAclArn.optional(),
  throttling: throttling.optional(),
  clientThrottling: clientThrottling.optional(),
  /** Where container tools push by themselves; without it there is none. */
  registryEndpoint: registryEndpoint.optional(),

  // The functions.
  /** 1,769 MB is one vCPU. Source: the Lambda developer guide, "Configure Lambda function memory". */
  memorySizeMegabytes: wholeNumber(512, 10_240, 'a number of megabytes from 512 to 10240').default(1_769),
  reservedConcurrentExecutions: z
    .union(
      [
        wholeNumber(1, 1_000, functions),
        z.partialRecord(z.enum(functionNames), wholeNumber(1, 1_000, functions)),
      ],
      functions,
    )
    .optional(),
  permissionsBoundaryArn: arn('iam', 'policy/.+', 'the ARN of an IAM managed policy').optional(),

  // What is kept, and who is notified.
  logRetentionDays: z
    .custom<RetentionDays>((days) => retentionDays.includes(days), logRetention)
    .default(RetentionDays.ONE_MONTH),
  kmsKeyArn: arn('kms', 'key/[0-9a-zA-Z-]+', 'the ARN of a KMS key, not of an alias').optional(),
  removalPolicy: z.enum(['retain', 'destroy'], 'retain or destroy').default('retain'),
  setAccountLogRole: z.boolean('true or false').default(false),
  alarmTopicArn: arn('sns', '[A-Za-z0-9_-]+', 'the ARN of an SNS topic that is not FIFO').optional(),
};

/** Checks each member by itself; `conflictsOf` checks them against each other. */
export const membersSchema = z.strictObject(members, 'an object that holds repositories');
export type Members = z.output<typeof membersSchema>;

// What an operator decides in cdk.json: read once, checked whole, every wrong member named.

import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { z } from 'zod';
import { isLoopbackUrl, issuers } from '../lambda/issuers.ts';
import { isRegistry, type Registry, registries } from '../lambda/registries.ts';

/** The key of the configuration in the `context` of cdk.json. */
export const contextKey = 'ecr-upload-proxy';

const names = 'a list of repository names, or patterns such as team-a/*';

/** Repository names as in IAM's ARNs, where `*` stands for any characters, `/` among them. */
const repositoryNames = (registry: Registry) => {
  const { pattern, maxLength } = registries[registry].repositoryName;
  const expected = `a repository name, or a pattern such as team-a/*, of up to ${maxLength} characters`;
  return z.array(
    z
      .string(expected)
      .max(maxLength, expected)
      .refine((name) => pattern.test(name.replaceAll('*', 'aa')), expected),
    names,
  );
};

const retentionDays: readonly unknown[] = Object.values(RetentionDays);
const logRetention = 'a number of days that CloudWatch Logs knows, such as 7, 30, 90 or 365';
const memorySize = 'a number of megabytes from 512 to 10240';
const stackName = 'a CloudFormation stack name: a letter, then letters, digits and hyphens, up to 128';

const members = {
  stackName: z
    .string(stackName)
    .regex(/^[A-Za-z][A-Za-z0-9-]{0,127}$/, stackName)
    .default('EcrUploadProxy'),
  /** Per registry, the repositories the functions' roles can reach, whatever the policies say. */
  repositories: z
    .strictObject(
      { ecr: repositoryNames('ecr').optional(), 'ecr-public': repositoryNames('ecr-public').optional() },
      `per registry, ${names}`,
    )
    .refine(
      (registry) => Object.values(registry).some((list) => list?.length),
      `for ecr or ecr-public, ${names}`,
    ),
  /** Lets a pattern begin with `*`: without it, every pattern names a namespace. */
  allowEveryRepository: z.boolean('true or false').default(false),
  /** Whose OIDC tokens are taken, each with the audience that they must have. */
  issuers: issuers.default([]),
  /** Lets an issuer be http on this machine, for tests. */
  allowLoopbackIssuers: z.boolean('true or false').default(false),
  logRetentionDays: z
    .custom<RetentionDays>((days) => retentionDays.includes(days), logRetention)
    .default(RetentionDays.ONE_MONTH),
  /** 1,769 MB is one vCPU. Source: the Lambda developer guide, "Configure Lambda function memory". */
  memorySizeMegabytes: z.int(memorySize).min(512, memorySize).max(10_240, memorySize).default(1_769),
};

const schema = z
  .strictObject(members, 'an object that holds repositories')
  .superRefine(({ repositories, allowEveryRepository }, context) => {
    for (const [registry, list] of Object.entries(repositories)) {
      for (const [index, name] of list?.entries() ?? []) {
        if (!name.startsWith('*') || allowEveryRepository) continue;
        const message = 'a pattern that begins with a letter or a digit, or allowEveryRepository: true';
        context.addIssue({ code: 'custom', path: ['repositories', registry, index], message });
      }
    }
  })
  .superRefine(({ issuers: list, allowLoopbackIssuers }, context) => {
    for (const [index, { issuer, jwksUri }] of list.entries()) {
      if (allowLoopbackIssuers || ![issuer, jwksUri ?? ''].some(isLoopbackUrl)) continue;
      const message = 'https URLs, or allowLoopbackIssuers: true';
      context.addIssue({ code: 'custom', path: ['issuers', index], message });
    }
  });

export type Configuration = z.output<typeof schema>;

/** The registries that the configuration names repositories of, in the order of the registry table. */
export const configuredRegistries = ({ repositories }: Pick<Configuration, 'repositories'>): Registry[] =>
  Object.keys(registries)
    .filter(isRegistry)
    .filter((registry) => repositories[registry]?.length);

const describe = (issue: z.core.$ZodIssue): string =>
  issue.code === 'unrecognized_keys'
    ? `  ${[...issue.path, issue.keys.join(', ')].join('.')}: not a member`
    : `  ${issue.path.join('.') || contextKey}: expected ${issue.message}`;

/** `cdk deploy --context ecr-upload-proxy='{"repositories":…}'` gives text; cdk.json gives what it holds. */
const parse = (value: unknown): unknown => {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
};

/**
 * Reads what cdk.json, or `--context` in its stead, holds under {@link contextKey}; an error says, for every
 * wrong member, what was expected.
 */
export const readConfiguration = (value: unknown): Configuration => {
  const result = schema.safeParse(parse(value));
  if (result.success) return result.data;
  const lines = result.error.issues.map(describe).join('\n');
  throw new Error(`cdk.json, context "${contextKey}":\n${lines}`);
};

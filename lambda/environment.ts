// The functions' configuration: read once from the environment that the stack sets, and checked.

import { resolve } from 'node:path';
import { z } from 'zod';
import { issuers } from '../api/issuers.ts';
import { isRegistry, type Registry, registries } from '../api/registries.ts';
import { maxSessionMinutes } from '../api/session-tokens.ts';

const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'expected JSON' });
    return z.NEVER;
  }
});

/** Names separated by commas, as the stack writes them. */
function registriesOf(names: string, context: z.RefinementCtx): readonly Registry[] {
  const found = names.split(',').filter(isRegistry);
  if (found.length < names.split(',').length) {
    context.addIssue({ code: 'custom', message: `expected some of ${Object.keys(registries).join(',')}` });
  }
  return found;
}

const accountId = /^[0-9]{12}$/;

/** Separated by commas, as the stack writes them; none where the variable is not set. */
const listOf = (pattern: RegExp) =>
  z
    .string()
    .optional()
    .transform((text) => text?.split(',') ?? [])
    .pipe(z.array(z.string().regex(pattern)))
    .readonly();

const schema = z
  .object({
    STAGING_BUCKET: z.string().min(3).optional(),
    SECRET_ID: z.string().min(1),
    POLICY_DIRECTORY: z.string().min(1),
    REGISTRY_ID: z.string().regex(accountId),
    REGISTRY_IDS: listOf(accountId),
    REGISTRY_ALIASES: listOf(registries['ecr-public'].registryId.pattern),
    ISSUERS: json.default([]).pipe(issuers),
    REGISTRIES: z.string().transform(registriesOf),
    QUOTA_TABLE: z.string().min(3).optional(),
    SESSION_TOKEN_MINUTES: z.coerce.number().pipe(z.int().min(1).max(maxSessionMinutes)).optional(),
    LAMBDA_TASK_ROOT: z.string().default('.'),
  })
  .transform((variables) => ({
    /** Where a part waits for its second. Who sends parts as they come has none. */
    stagingBucket: variables.STAGING_BUCKET,
    secretId: variables.SECRET_ID,
    /** Relative to the deployed bundle, beside which the stack puts the policies. */
    policyDirectory: resolve(variables.LAMBDA_TASK_ROOT, variables.POLICY_DIRECTORY),
    /** Whose registries a request may name. */
    accounts: {
      own: variables.REGISTRY_ID,
      others: variables.REGISTRY_IDS,
      aliases: variables.REGISTRY_ALIASES,
    },
    /** Where quotas are counted; there is none without a quota. */
    quotaTable: variables.QUOTA_TABLE,
    /** Whose OIDC tokens are taken. */
    issuers: variables.ISSUERS,
    /** How long a session token is valid; where it is not said, there are none. */
    sessionTokenMinutes: variables.SESSION_TOKEN_MINUTES,
    /** The ECR services that the stack is configured for. */
    registries: variables.REGISTRIES,
  }));

export type Environment = z.output<typeof schema>;

/** @throws ZodError naming each variable that is missing or ill-formed. */
export const readEnvironment = (variables: NodeJS.ProcessEnv): Environment => schema.parse(variables);

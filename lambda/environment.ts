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
    /** Where the first part of a pair waits for the second. Not set where parts go to ECR directly. */
    stagingBucket: variables.STAGING_BUCKET,
    secretId: variables.SECRET_ID,
    /** Relative to the deployed bundle; the stack puts the policies next to it. */
    policyDirectory: resolve(variables.LAMBDA_TASK_ROOT, variables.POLICY_DIRECTORY),
    /** The accounts whose registries a request may name. */
    accounts: {
      own: variables.REGISTRY_ID,
      others: variables.REGISTRY_IDS,
      aliases: variables.REGISTRY_ALIASES,
    },
    /** Where quotas are counted; not set without quotas. */
    quotaTable: variables.QUOTA_TABLE,
    /** The issuers whose OIDC tokens are accepted. */
    issuers: variables.ISSUERS,
    /** How long a session token is valid; not set where session tokens are turned off. */
    sessionTokenMinutes: variables.SESSION_TOKEN_MINUTES,
    /** The ECR services that the stack is configured for. */
    registries: variables.REGISTRIES,
  }));

export type Environment = z.output<typeof schema>;

/** @throws ZodError naming each variable that is missing or ill-formed. */
export const readEnvironment = (variables: NodeJS.ProcessEnv): Environment => schema.parse(variables);

// The members that errors have besides code and detail: those of ECR's exceptions, and those that say what to change.

import { z } from 'zod';

export const errorMembers = {
  invalidMembers: z
    .array(z.object({ member: z.string(), expected: z.string() }))
    .readonly()
    .describe('The first members that are wrong, and what was expected of each.'),
  policies: z.array(z.string()).readonly().describe('The ids of the policies that decided.'),
  claims: z
    .record(z.string(), z.union([z.string(), z.array(z.string()).readonly()]))
    .readonly()
    .describe('What was received of an OIDC token’s claims.'),
  registryId: z.string(),
  repositoryName: z.string(),
  uploadId: z.string(),
  lastValidByteReceived: z
    .int()
    .nonnegative()
    .describe('The last byte the proxy has; absent when it has none.'),
  quota: z.string().describe('Its name.'),
  used: z.int().nonnegative().describe('What is used of it today, in bytes or images.'),
  limit: z.int().positive().describe('What it allows in a day.'),
  resetsAt: z.string().meta({ format: 'date-time' }).describe('When the next day begins, in UTC.'),
  kmsError: z.string().describe('The error of AWS KMS.'),
} as const;

export type ErrorMemberName = keyof typeof errorMembers;

export type ErrorMembers = {
  readonly [Name in ErrorMemberName]?: z.output<(typeof errorMembers)[Name]>;
};

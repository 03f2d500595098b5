// Session tokens: what `POST /session-tokens` is, and what a session token looks like. Decision 0022.

import { z } from 'zod';
import type { ErrorCode } from './errors.ts';
import type { OperationName } from './operations.ts';

/** Distinguishes session tokens from all others, for this proxy and for secret scanners; a compact JWS follows. */
export const sessionTokenPrefix = 'eups_';

/** The longest validity, and the default. */
export const maxSessionMinutes = 60;

/** The exchange of a token. It names no repository, so it is none of ECR's operations and no policy is asked. */
export const sessionTokenExchange = {
  name: 'CreateSessionToken',
  summary: 'Exchanges a valid token for a session token of the same caller.',
  method: 'POST',
  path: '/session-tokens',
  status: 201,
  output: z.object({ sessionToken: z.string(), expiresAt: z.iso.datetime() }),
  errors: [
    'InvalidParameterException',
    'UnrecognizedClientException',
    'ExpiredTokenException',
    'AccessDeniedException',
    'ServiceUnavailableException',
    'GatewayTimeoutException',
    'InternalFailure',
  ],
} as const satisfies { errors: readonly ErrorCode[] } & Record<string, unknown>;

export type SessionToken = z.output<typeof sessionTokenExchange.output>;

/** What a function serves, and the log and the metrics call it. */
export type ServedName = OperationName | typeof sessionTokenExchange.name;

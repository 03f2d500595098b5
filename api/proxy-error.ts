// The error that steps throw: a row of the error table, with what is known of the one case.

import type { ErrorMembers } from './error-members.ts';
import { type ErrorCode, type ErrorRow, errors } from './errors.ts';
import { retryAfterSecondsOf } from './send-again.ts';

/**
 * The only error that the steps throw. `detail` and `members` reach the client; `cause` reaches the log and
 * nobody else.
 */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  readonly code: ErrorCode;
  readonly members: ErrorMembers;
  /** For `Retry-After`, where it is known better than the row says. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    detail?: string,
    options: { members?: ErrorMembers; cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    const row: ErrorRow = errors[code];
    super(detail ?? row.detail ?? row.title, { cause: options.cause });
    this.code = code;
    this.members = options.members ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** Those of an error in the resource API: what its row says, and `Retry-After`. */
export function headersOf({
  code,
  members = {},
  retryAfterSeconds,
}: Pick<ProxyError, 'code'> & Partial<Pick<ProxyError, 'members' | 'retryAfterSeconds'>>): Record<
  string,
  string
> {
  const { sendAgain, headers = [] }: ErrorRow = errors[code];
  const seconds = retryAfterSecondsOf(sendAgain, { members, retryAfterSeconds });
  const own = headers.flatMap(({ name, value }) => {
    const text = value(members);
    return text === undefined ? [] : [[name, text] as const];
  });
  return { ...(seconds !== undefined && { 'Retry-After': String(seconds) }), ...Object.fromEntries(own) };
}

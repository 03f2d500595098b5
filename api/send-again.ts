// Whether and when the same request may be sent again after an error: what Retry-After, clients, docs and OpenAPI say.

import type { ErrorMembers } from './error-members.ts';

/** A column of the error table. */
export type SendAgain =
  /** It would be refused again. */
  | 'never'
  /** After this time, or after another of at most `atMostSeconds` that the error itself knows. */
  | { readonly afterSeconds: number; readonly atMostSeconds?: number }
  /** At the time that a member of the error names: a person's decision, for which no program waits. */
  | { readonly at: 'resetsAt'; readonly atMostSeconds: number };

/** Whether a program sends the same request again by itself. */
export const isSentAgain = (sendAgain: SendAgain): boolean =>
  sendAgain !== 'never' && 'afterSeconds' in sendAgain;

/** What `Retry-After` says; undefined for no such header. */
export function retryAfterSecondsOf(
  sendAgain: SendAgain,
  { members, retryAfterSeconds }: { members: ErrorMembers; retryAfterSeconds?: number | undefined },
): number | undefined {
  if (sendAgain === 'never') {
    return undefined;
  }
  if ('afterSeconds' in sendAgain) {
    return retryAfterSeconds ?? sendAgain.afterSeconds;
  }
  const { atMostSeconds } = sendAgain;
  const time = members[sendAgain.at];
  if (time === undefined) {
    return atMostSeconds;
  }
  return Math.max(1, Math.ceil((Date.parse(time) - Date.now()) / 1_000));
}

/** Every value that `Retry-After` may have. */
export function retryAfterSchema(sendAgain: SendAgain) {
  if (sendAgain === 'never') {
    return undefined;
  }
  const { atMostSeconds: maximum } = sendAgain;
  if (maximum !== undefined) {
    return { type: 'integer', minimum: 1, maximum };
  }
  return 'afterSeconds' in sendAgain ? { type: 'integer', const: sendAgain.afterSeconds } : undefined;
}

/** As docs/errors.md has it. */
export function describeSendAgain(sendAgain: SendAgain): string {
  if (sendAgain === 'never') {
    return 'no';
  }
  if ('at' in sendAgain) {
    return `at \`${sendAgain.at}\``;
  }
  const { afterSeconds, atMostSeconds } = sendAgain;
  const otherwise =
    atMostSeconds === undefined ? '' : `, or as \`Retry-After\` says, ${atMostSeconds} s at most`;
  return `after ${afterSeconds} s${otherwise}`;
}

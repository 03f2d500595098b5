// What a failed call to AWS means: nothing unusual, that a client was refused, or that something is wrong.

import { errors } from '../../api/errors.ts';
import { cancellationReasonsOf, isAbsent, isOvertaken, upstreamCodeOf } from '../sdk-failures.ts';

export type UpstreamOutcome =
  /** A slot that is not there, or not as it was read; a count that another request has changed, or that is at its limit. */
  | 'expected'
  /** ECR refuses what the client sent. */
  | 'refused'
  | 'throttled'
  /** Not reachable, not allowed or broken. */
  | 'failed';

export function outcomeOf(failure: unknown): UpstreamOutcome {
  if (isAbsent(failure) || isOvertaken(failure) || cancellationReasonsOf(failure) !== undefined) {
    return 'expected';
  }
  const code = upstreamCodeOf(failure) ?? 'InternalFailure';
  if (code === 'ThrottlingException') {
    return 'throttled';
  }
  return errors[code].status >= 500 ? 'failed' : 'refused';
}

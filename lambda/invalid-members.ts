// The error for invalid members: which they are, and what was expected of each.

import { maxFaults } from '../api/limits.ts';
import { ProxyError } from '../api/proxy-error.ts';

export type Fault = { readonly member: string; readonly expected: string };

/**
 * A name in the form of ECR's members. Any other name could be anything, such as a token, and faults are logged.
 */
const memberName = /^[A-Za-z]{1,40}(?:\.[A-Za-z]{1,40})?$/;

export const memberNameOf = (member: string): string =>
  memberName.test(member) ? member : '(another member)';

/** The error names at most `maxFaults` of them. */
export function invalidMembers(faults: readonly Fault[]): ProxyError {
  const named = faults.slice(0, maxFaults);
  const sentences = named.map(({ member, expected }) => `${member}: expected ${expected}`);
  if (faults.length > maxFaults) {
    sentences.push(`and ${faults.length - maxFaults} more`);
  }
  return new ProxyError('InvalidParameterException', sentences.join('; '), {
    members: { invalidMembers: named },
  });
}

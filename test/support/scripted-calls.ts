// What the registry endpoint asks of ECR, answered by the test: each call is noted, and one that is not scripted fails.

import type { Members, OperationName, Output } from '../../api/operations.ts';
import type { CallOptions, Calls } from '../../registry/hosted/calls.ts';
import { unrecorded } from '../../registry/hosted/request-record.ts';

/** By operation; what is not there is not asked for. */
export type Answers = {
  readonly [Name in OperationName]?: (members: Members<Name>) => Output<Name> | Promise<Output<Name>>;
};

export type SentCall = { readonly operation: OperationName; readonly members: object };

/** Of every call of a test's request. */
export const call: CallOptions = { record: unrecorded, signal: new AbortController().signal };

export function scriptedCalls(answers: Answers) {
  const sent: SentCall[] = [];
  const calls: Pick<Calls, 'send'> = {
    send: async (operation, members, options) => {
      sent.push({ operation, members });
      const answer = answers[operation];
      if (answer === undefined || options !== call) {
        throw new Error(`the test does not say what ${operation} answers, or it is no call of its request`);
      }
      return answer(members);
    },
  };
  return { calls, sent };
}

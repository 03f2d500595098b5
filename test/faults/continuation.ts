// How every client goes on after an answer: by the same request again, unless the answer has led on already.

import type { Continuation, Next, Push, Reply } from './front.ts';
import { Violation } from './lawfulness.ts';

export const isSuccess = ({ status }: Reply): boolean => status >= 200 && status < 300;

export const unanswerable = (what: string, { status, code }: Reply): Violation =>
  new Violation(`${what} is answered ${status} ${code}`);

/** For a client that has what it wants. */
export async function finishNothing(): Promise<void> {}

/**
 * @param after what an answer leads to: `next` says how the client has come to a success; undefined where it leads nowhere
 * @throws Violation where the same request again leads nowhere either
 */
export async function continued(
  ask: Push['ask'],
  reply: Reply,
  pause: (reply: Reply) => void,
  after: (reply: Reply, next: Next) => Continuation | undefined,
): Promise<Continuation> {
  const first = after(reply, '');
  if (first) {
    return first;
  }
  pause(reply);
  const again = await ask();
  const second = after(again, 'again');
  if (!second) {
    throw unanswerable('the same request again', again);
  }
  return second;
}

// Decides at every await of the requests under way: each call to a service is two events, its effect and its answer.

import { onceMore } from '../../lambda/retries.ts';
import type { Choose, Option, Touch } from './explorer.ts';

/** A call to a service, as its stub describes it. */
export type ServiceCall = {
  readonly touches: readonly Touch[];
  /** Happens at once and whole; throws what the service answers as an error. */
  readonly effect: (attempts: number) => unknown;
};

/** Whatever can go wrong with a call or a function, each of them one event. */
export const faults = ['dropped', 'lost', 'failed', 'crashed', 'crashed-late'] as const;
export type Fault = (typeof faults)[number];

type Pending = ServiceCall & {
  readonly actor: number;
  readonly id: string;
  attempts: number;
  /** Answers the code that waits; there once the effect has happened. */
  answer: (() => void) | undefined;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
};

type Event = Option & { readonly happen: () => void | Promise<void> };

/** All that waits for microtasks has run by then. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

const brokenConnection = (attempts: number) =>
  Object.assign(new Error('socket hang up'), {
    code: 'ECONNRESET',
    name: 'TimeoutError',
    cause: new Error('socket hang up'),
    $metadata: { attempts },
  });

const serverError = (attempts: number) =>
  Object.assign(new Error('internal failure'), {
    name: 'ServerException',
    $metadata: { httpStatusCode: 500, attempts },
  });

const isWrite = ({ touches }: ServiceCall) => touches.some(({ writes }) => writes);

/** @param budget how many of the faults may happen in one run */
export function openScheduler(choose: Choose, budget: { kinds: readonly Fault[]; atMost: number }) {
  let pending: Pending[] = [];
  let left = 0;
  const calls = new Map<number, number>();
  const living = new Map<number, () => void>();

  const fault = (kind: Fault, id: string, actor: number, happen: Event['happen']): Event[] =>
    left > 0 && budget.kinds.includes(kind)
      ? [
          {
            id: `${id} ${kind}`,
            actor,
            touches: [{ key: 'faults', writes: true }],
            happen: () => {
              left -= 1;
              return happen();
            },
          },
        ]
      : [];

  const forget = (call: Pending) => {
    pending = pending.filter((one) => one !== call);
  };

  /** As the functions' clients of the SDK do: their own rule says whether the call is sent once more. */
  const breakConnection = async (call: Pending) => {
    const error = brokenConnection(call.attempts);
    const { retryStrategy } = onceMore;
    const token = await retryStrategy.acquireInitialRetryToken('');
    try {
      const made = { ...token, getRetryCount: () => call.attempts - 1 };
      await retryStrategy.refreshRetryTokenForRetry(made, { errorType: 'TRANSIENT', error });
      call.attempts += 1;
      call.answer = undefined;
    } catch {
      forget(call);
      call.reject(error);
    }
  };

  const isAlive = (actor: number) => living.has(actor);

  const crash = (actor: number, isLate: boolean) => {
    living.get(actor)?.();
    living.delete(actor);
    pending = pending.filter(
      (call) => call.actor !== actor || (isLate && call.answer === undefined && isWrite(call)),
    );
  };

  const take = (call: Pending) => {
    try {
      const output = call.effect(call.attempts);
      call.answer = () => call.resolve(output);
    } catch (error) {
      call.answer = () => call.reject(error);
    }
    if (!isAlive(call.actor)) {
      forget(call);
    }
  };

  const crashesOf = (call: Pending): Event[] => [
    ...fault('crashed', call.id, call.actor, () => crash(call.actor, false)),
    ...(call.answer === undefined && isWrite(call)
      ? fault('crashed-late', call.id, call.actor, () => crash(call.actor, true))
      : []),
  ];

  const eventsOf = (call: Pending): Event[] => {
    const { id, actor, answer } = call;
    if (answer) {
      const give = () => {
        forget(call);
        answer();
      };
      return [
        { id: `${id} answer ${call.attempts}`, actor, touches: [], happen: give },
        ...(isWrite(call) ? fault('lost', id, actor, () => breakConnection(call)) : []),
        ...crashesOf(call),
      ];
    }
    const effect = {
      id: `${id} effect ${call.attempts}`,
      actor,
      touches: call.touches,
      happen: () => take(call),
    };
    if (!isAlive(actor)) {
      return [effect];
    }
    const fail = () => {
      call.answer = () => call.reject(serverError(call.attempts));
    };
    return [
      effect,
      ...fault('dropped', id, actor, () => breakConnection(call)),
      ...fault('failed', id, actor, fail),
      ...crashesOf(call),
    ];
  };

  return {
    /** A call of a request's, which waits until it is chosen. */
    call: (actor: number, call: ServiceCall): Promise<unknown> =>
      new Promise((resolve, reject) => {
        // What a crashed function would do next is not done.
        if (isAlive(actor)) {
          const number = calls.get(actor) ?? 0;
          calls.set(actor, number + 1);
          const id = `${actor}.${number}`;
          pending.push({ ...call, actor, id, attempts: 1, answer: undefined, resolve, reject });
        }
      }),

    /** Runs a request until it is answered, or its function has crashed. */
    start: <Result>(actor: number, request: () => Promise<Result>): Promise<Result | 'crashed'> =>
      new Promise((resolve, reject) => {
        living.set(actor, () => resolve('crashed'));
        request().then(resolve, reject);
      }),

    allowFaults: () => {
      left = budget.atMost;
    },
    forbidFaults: () => {
      left = 0;
    },

    /**
     * Lets one event after the other happen until `isOver`, and then whatever is still on its way.
     * @param reduced whether an answer, which commutes with all events of others, comes first
     * @param checked is called after each event
     */
    drive: async (isOver: () => boolean, reduced: boolean, checked: () => void): Promise<void> => {
      await settled();
      while (!isOver()) {
        const answered = reduced ? pending.find(({ answer }) => answer) : undefined;
        const events = (answered ? [answered] : pending).flatMap(eventsOf);
        if (events.length === 0) {
          throw new Error('a request waits for nothing that could happen');
        }
        const event = events[choose(events)];
        await event?.happen();
        await settled();
        checked();
      }
    },
  };
}

export type Scheduler = ReturnType<typeof openScheduler>;

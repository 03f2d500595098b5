// Decides at every await of the requests under way: each call to a service is two events, its effect and its answer.

import { onceMore, type Retries } from '../../lambda/retries.ts';
import { stateText } from './state-text.ts';

/** What a call to a service does, as its stub describes it. */
export type Effect = {
  readonly writes: boolean;
  /** Happens at once and whole; throws what the service answers as an error. */
  readonly effect: (attempts: number) => unknown;
};

export type ServiceCall = Effect & {
  readonly name: string;
  /** It is no call to a service, and nothing goes wrong with it. */
  readonly isCertain?: boolean;
};

/** Whatever can go wrong with a call or a function, each of them one event. */
export const faults = ['dropped', 'lost', 'failed', 'crashed', 'crashed-late'] as const;
export type Fault = (typeof faults)[number];

/** What a call was answered, in a form that says all that the code can learn of it. */
type Outcome = { readonly output: unknown } | { readonly error: unknown };

type Pending = ServiceCall & {
  readonly actor: number;
  readonly id: string;
  attempts: number;
  /** What became of the attempts before: a service may know of them. */
  before: Outcome[];
  /** There once the effect has happened; the code still waits. */
  outcome: Outcome | undefined;
  readonly settle: (outcome: Outcome) => void;
};

/** Of one call, what can happen next. */
export type Event = { readonly call: Pending; readonly kind: 'effect' | 'answer' | Fault };

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

/** Of an error its own members count, and its name, which a class may have for all of its errors. */
const described = (outcome: Outcome): string =>
  stateText(
    'error' in outcome && outcome.error instanceof Error ? [outcome.error.name, outcome.error] : outcome,
  );

/** `history`: where the actor is, and what it was answered since. It ends with the request. */
type Actor = {
  /** Actors of one kind do the same, so that it makes no difference which of them has come where. */
  kind: string;
  /** Those of one process end together. */
  process: number;
  history: string[];
  requests: number;
  calls: number;
  crash: (() => void) | undefined;
};

/** Takes the index of the event that happens next. `stateOf` describes all that decides what can follow. */
type ChooseEvent = (events: readonly Event[], stateOf: () => string) => number;

/** How many of which faults may happen in one run, and whether the SDK's clients send a request again after one. */
export type Budget = {
  readonly kinds: readonly Fault[];
  readonly atMost: number;
  /** By default the functions'. */
  readonly retries?: Retries;
};

export function openScheduler(choose: ChooseEvent, budget: Budget) {
  const { retryStrategy } = budget.retries ?? onceMore;
  let pending: Pending[] = [];
  let left = 0;
  const actors = new Map<number, Actor>();

  const actorOf = (number: number): Actor => {
    const found = actors.get(number) ?? {
      kind: `${number}`,
      process: number,
      history: [],
      requests: 0,
      calls: 0,
      crash: undefined,
    };
    actors.set(number, found);
    return found;
  };
  const isAlive = ({ actor }: Pending) => actorOf(actor).crash !== undefined;

  const forget = (call: Pending) => {
    pending = pending.filter((one) => one !== call);
  };

  const answer = (call: Pending, outcome: Outcome) => {
    forget(call);
    actorOf(call.actor).history.push(`${call.id} ${described(outcome)}`);
    call.settle(outcome);
  };

  /** As the SDK's clients do: their own rule says whether the call is sent once more. */
  const breakConnection = async (call: Pending) => {
    const error = brokenConnection(call.attempts);
    const token = await retryStrategy.acquireInitialRetryToken('');
    try {
      const made = { ...token, getRetryCount: () => call.attempts - 1 };
      await retryStrategy.refreshRetryTokenForRetry(made, { errorType: 'TRANSIENT', error });
    } catch {
      return answer(call, { error });
    }
    call.attempts += 1;
    call.before.push(call.outcome ?? { error: 'dropped' });
    call.outcome = undefined;
  };

  const crash = (ended: number, isLate: boolean) => {
    for (const [number, actor] of actors) {
      if (actor.process === ended && actor.crash) {
        actor.crash();
        actor.crash = undefined;
        actor.history = [];
        pending = pending.filter(
          (call) => call.actor !== number || (isLate && call.outcome === undefined && call.writes),
        );
      }
    }
  };

  const take = (call: Pending) => {
    try {
      call.outcome = { output: call.effect(call.attempts) };
    } catch (error) {
      call.outcome = { error };
    }
    if (!isAlive(call)) {
      forget(call);
    }
  };

  const eventsOf = (call: Pending): Event[] => {
    const kinds: Event['kind'][] = [call.outcome ? 'answer' : 'effect'];
    if (left > 0 && isAlive(call) && !call.isCertain) {
      kinds.push(
        ...faults.filter((kind) => {
          const isPossible = {
            dropped: call.outcome === undefined,
            failed: call.outcome === undefined,
            lost: call.outcome !== undefined && call.writes,
            crashed: true,
            'crashed-late': call.outcome === undefined && call.writes,
          };
          return budget.kinds.includes(kind) && isPossible[kind];
        }),
      );
    }
    return kinds.map((kind) => ({ call, kind }));
  };

  const happenings: Readonly<Record<Event['kind'], (call: Pending) => void | Promise<void>>> = {
    effect: take,
    answer: (call) => call.outcome && answer(call, call.outcome),
    dropped: breakConnection,
    lost: breakConnection,
    failed: (call) => {
      call.outcome = { error: serverError(call.attempts) };
    },
    crashed: ({ actor }) => crash(actorOf(actor).process, false),
    'crashed-late': ({ actor }) => crash(actorOf(actor).process, true),
  };

  return {
    /** A call of a request's, which waits until it is chosen. */
    call: (number: number, call: ServiceCall): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const actor = actorOf(number);
        // What a crashed function would do next is not done.
        if (!actor.crash) {
          return;
        }
        const id = `${actor.requests}.${actor.calls}`;
        actor.calls += 1;
        const settle = (outcome: Outcome) =>
          'error' in outcome ? reject(outcome.error) : resolve(outcome.output);
        pending.push({ ...call, actor: number, id, attempts: 1, before: [], outcome: undefined, settle });
      }),

    /** Runs a request until it is answered, or its function has crashed. */
    start: <Result>(
      number: number,
      request: () => Promise<Result>,
      { process = number, kind = `${number}` } = {},
    ): Promise<Result | 'crashed'> =>
      new Promise((resolve, reject) => {
        const actor = actorOf(number);
        actor.process = process;
        actor.kind = kind;
        actor.crash = () => resolve('crashed');
        const over = () => {
          actor.crash = undefined;
          actor.history = [];
        };
        request().finally(over).then(resolve, reject);
      }),

    /** A request begins: nothing that those before it have learned matters any more but what `place` says. */
    atRequest: (number: number, place: string): void => {
      const actor = actorOf(number);
      actor.history = [place];
      actor.requests += 1;
      actor.calls = 0;
    },

    /** Nothing is on its way. */
    isIdle: () => pending.length === 0,

    allowFaults: () => {
      left = budget.atMost;
    },
    forbidFaults: () => {
      left = 0;
    },

    /**
     * What the requests have learned, and what is on its way: all that decides what they do next. States that differ in
     * which of two actors of one kind has come where have the same text.
     * @param named gives what was made at random the same name in every run
     */
    state: (named: (text: string) => string): string => {
      const ofEach = [...actors].map(([number, { kind, history, crash }]) =>
        named(
          stateText([
            kind,
            history,
            crash !== undefined,
            pending
              .filter(({ actor }) => actor === number)
              .map(({ id, before, outcome }) => [id, before.map(described), outcome && described(outcome)])
              .sort(),
          ]),
        ),
      );
      return [left, ...ofEach.sort()].join('\n');
    },

    /**
     * Lets one event after the other happen until `isOver`, and then whatever is still on its way.
     * @param answersFirst whether an answer, which makes no difference to any other request, comes before all else
     * @param stateOf says the rest that decides what can follow
     * @param checked is called after each event
     */
    drive: async (
      isOver: () => boolean,
      {
        answersFirst,
        stateOf,
        checked,
      }: { answersFirst: boolean; stateOf: () => string; checked: () => void },
    ): Promise<void> => {
      await settled();
      while (!isOver()) {
        const answered = answersFirst ? pending.find(({ outcome }) => outcome) : undefined;
        const events = (answered ? [answered] : pending).flatMap(eventsOf);
        const event = events[choose(events, stateOf)];
        if (!event) {
          throw new Error('a request waits for nothing that could happen');
        }
        if (event.kind !== 'effect' && event.kind !== 'answer') {
          left -= 1;
        }
        await happenings[event.kind](event.call);
        await settled();
        checked();
      }
    },
  };
}

export type Scheduler = ReturnType<typeof openScheduler>;

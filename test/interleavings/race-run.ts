// One run of a race: what comes before it, what is under way at once, and the client that comes to its end.

import type { ServicesInMemory } from './services-in-memory.ts';

/** What must not happen. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export function assert(holds: boolean, what: string): asserts holds {
  if (!holds) {
    throw new Violation(what);
  }
}

/** Requests of one client, one after the other. */
export type Work = {
  readonly run: (actor: number) => Promise<void>;
  /** Of which process they are; by default of one of their own. */
  readonly process?: number;
  /** Works of one kind do the same, and it makes no difference which of them does what first. */
  readonly kind?: string;
};

export type Race = {
  /** One after the other, without a fault; of function 0. */
  readonly before: readonly Work[];
  /** At once, each of a function of its own, with the faults that there may be. A refusal ends the work. */
  readonly racing: readonly Work[];
  /** Without a fault; of function 0. What it throws is a failure. */
  readonly finish: Work;
  /** Whether an answer comes before all other events: what others do makes no difference to it. */
  readonly answersFirst: boolean;
  /** What is known of the race besides the services' state. */
  readonly known: () => unknown;
  /** After each event. @throws Violation */
  readonly check: () => void;
};

/** @throws what does not hold */
export async function runRace(services: ServicesInMemory, race: Race): Promise<void> {
  const { scheduler } = services;
  const { before, racing, finish, answersFirst, known, check } = race;
  let failure: { readonly error: unknown } | undefined;
  let running = 0;
  let phase = 0;

  const begin = (actor: number, { run, ...whose }: Work, isFailure: (error: unknown) => boolean) => {
    running += 1;
    void scheduler
      .start(actor, () => run(actor), whose)
      .catch((error: unknown) => {
        if (isFailure(error)) {
          failure = { error };
        }
      })
      .finally(() => {
        running -= 1;
      });
  };
  const drive = async () => {
    await scheduler.drive(() => running === 0 || failure !== undefined, {
      answersFirst,
      stateOf: () => services.state(phase, running, known()),
      checked: check,
    });
    if (failure) {
      throw failure.error;
    }
    phase += 1;
  };
  const isViolation = (error: unknown) => error instanceof Violation;

  for (const work of before) {
    begin(0, work, () => true);
    await drive();
  }
  scheduler.allowFaults();
  for (const [n, work] of racing.entries()) {
    begin(n + 1, work, isViolation);
  }
  await drive();
  scheduler.forbidFaults();
  begin(0, finish, () => true);
  await drive();
}

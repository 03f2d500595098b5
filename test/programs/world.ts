// Where a program runs: services in memory, instances of the functions, a clock and a secret; and requests at once, by a plan.

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { vi } from 'vitest';
import { rotateSealingKey } from '../../cli/tokens/sealing-key.ts';
import { onceMore, type Retries } from '../../lambda/retries.ts';
import { Violation } from '../interleavings/race-run.ts';
import { type Reach, within } from '../interleavings/reach.ts';
import { type Event, type Fault, faults } from '../interleavings/scheduler.ts';
import { type PlantedInServices, servicesInMemory } from '../interleavings/services-in-memory.ts';
import { type Instance, openDeployment } from './deployment.ts';
import { type Client, clients } from './rights.ts';

/** Which event is next, and what goes wrong. */
export type Plan = {
  /** Of those that wait, which call goes on; the one that has waited longest where the plan has ended. */
  readonly order: readonly number[];
  /** Each happens where it first can, from this step on, as counted since the requests began. */
  readonly faults: readonly { readonly step: number; readonly kind: Fault }[];
};

const maxFaults = 2;

/** In an order: the write of a function that has ended, of which it was still on its way. */
const lateWrite = 9;

export const plan: fc.Arbitrary<Plan> = fc.record({
  order: fc.array(fc.oneof({ weight: 30, arbitrary: fc.nat(5) }, fc.constant(lateWrite)), {
    maxLength: 40,
    size: 'max',
  }),
  faults: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    {
      weight: 3,
      arbitrary: fc.array(fc.record({ step: fc.nat(14), kind: fc.constantFrom(...faults) }), {
        minLength: 1,
        maxLength: maxFaults,
      }),
    },
  ),
});

/** The name of what a client does that breaks its connection. */
export const hangUp = 'hang up';

/** A request on its own, to which nothing happens. */
export const undisturbed: Plan = { order: [], faults: [] };

export const tokenOf = (client: Client): string => `eup_${client}_local`;

const firstSecret = JSON.stringify({
  clients: Object.fromEntries(
    clients.map((client) => [
      client,
      [{ sha256: createHash('sha256').update(tokenOf(client)).digest('hex') }],
    ]),
  ),
  sealingKey: 'k'.repeat(32),
});

const dayMs = 86_400_000;

/** How a request reaches what it is sent to. */
export type Way = {
  readonly instance: Instance;
  readonly reach: Reach;
  /** Happens when it is this request's turn, as a call to a service does. */
  readonly atItsTurn: (name: string, effect: () => void) => Promise<unknown>;
};

/** What a request does at an instance. */
export type Task = {
  readonly instance: number;
  /** By the policy: it may reach nothing. */
  readonly isDenied: boolean;
  readonly run: (way: Way) => Promise<void>;
};

const deployment = openDeployment();

export class World {
  readonly services: ReturnType<typeof servicesInMemory>;
  /** What has happened, in short. */
  readonly transcript: string[] = [];
  /** How often what happened: the answers of requests, and what went wrong. */
  readonly tally = new Map<string, number>();
  #secret = firstSecret;
  #actors = 0;
  /** Of the requests that are under way: those before have ended. */
  #firstActor = 0;
  #order: Plan['order'] = [];
  #faults: Plan['faults'] = [];
  #step = 0;

  /** @param retries of the SDK's clients of what the programs are of */
  constructor(planted: PlantedInServices = {}, retries: Retries = onceMore) {
    this.services = servicesInMemory(
      (events) => this.#choose(events),
      { kinds: faults, atMost: maxFaults, retries },
      planted,
    );
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-21T12:00:00Z') });
    this.restart();
  }

  /** Every function has ended, and the next request finds another. */
  restart(): void {
    for (let number = 0; number < 3; number++) {
      deployment.instance(number).restart();
    }
  }

  /** @throws CommandError while the key before is in use */
  rotateKey(): void {
    this.#secret = rotateSealingKey(this.#secret, 30 * dayMs, new Date());
  }

  pass(seconds: number): void {
    vi.setSystemTime(Date.now() + seconds * 1_000);
  }

  /**
   * Runs tasks at once, until each has an answer or its function has ended.
   * @param check is called after each event
   * @throws what a task or the check throws
   */
  async together(tasks: readonly Task[], under: Plan, check: () => void): Promise<void> {
    const { scheduler } = this.services;
    this.#order = under.order;
    this.#faults = under.faults;
    this.#step = 0;
    this.#firstActor = this.#actors;
    let running = tasks.length;
    let failure: { readonly error: unknown } | undefined;
    scheduler.allowFaults();
    for (const { instance: number, isDenied, run } of tasks) {
      const actor = this.#actors;
      this.#actors += 1;
      const instance = deployment.instance(number);
      const reach: Reach = {
        send: (service, command) => {
          if (isDenied) {
            const name = `${service} ${command.constructor.name}`;
            failure = { error: new Violation(`a request that the policy denies has come to ${name}`) };
          }
          return this.services.send(actor, service, command);
        },
        fetchSecret: async () => {
          const effect = () => this.#secret;
          return String(await scheduler.call(actor, { name: 'read the secret', writes: false, effect }));
        },
      };
      const atItsTurn: Way['atItsTurn'] = (name, effect) =>
        scheduler.call(actor, { name, writes: false, isCertain: true, effect });
      void scheduler
        .start(actor, () => within(reach, () => run({ instance, reach, atItsTurn })), { process: number })
        .then(
          (outcome) => {
            if (outcome === 'crashed') {
              instance.restart();
            }
          },
          (error: unknown) => {
            failure = { error };
          },
        )
        .finally(() => {
          running -= 1;
        });
    }
    await scheduler.drive(() => running === 0 || failure !== undefined, {
      answersFirst: false,
      stateOf: () => '',
      checked: check,
    });
    scheduler.forbidFaults();
    if (failure) {
      throw failure.error;
    }
  }

  /** Notes what a client was answered; `detail` for the transcript alone. */
  told(request: string, answer: string, detail: object): void {
    this.transcript.push(`${request}: ${answer} ${JSON.stringify(detail)}`);
    this.#count(`${request}: ${answer}`);
  }

  readonly #isUnderWay = ({ actor }: Event['call']): boolean => actor >= this.#firstActor;

  #count(what: string): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + 1);
  }

  #choose(events: readonly Event[]): number {
    const step = this.#step;
    this.#step += 1;
    const calls = [...new Set(events.map(({ call }) => call))];
    const next = this.#order[step] ?? 0;
    const lastOf = ({ name }: Event['call']) => Number(name === hangUp);
    // Whoever breaks a connection does so after a while, or else no byte would be taken.
    const own = calls.filter(this.#isUnderWay).sort((one, other) => lastOf(one) - lastOf(other));
    const late = calls.filter((call) => !this.#isUnderWay(call));
    const call = (next === lateWrite ? late[0] : undefined) ?? own[next % own.length];
    const due = this.#faults.find((one) => one.step <= step && events.some(({ kind }) => kind === one.kind));
    this.#faults = this.#faults.filter((one) => one !== due);
    const chosen = events.findIndex((event) => (due ? event.kind === due.kind : event.call === call));
    const kind = events[chosen]?.kind ?? 'effect';
    this.transcript.push(
      `  ${events[chosen]?.call.actor}.${events[chosen]?.call.id} ${events[chosen]?.call.name}: ${kind}`,
    );
    if (kind !== 'effect' && kind !== 'answer') {
      this.#count(`fault: ${kind}`);
    }
    return chosen;
  }
}

// A program against the registry endpoint, from its port on: what OCI clients send, what they are told, and what must hold.

import { randomUUID } from 'node:crypto';
import { ProxyError } from '../../api/proxy-error.ts';
import { PortError } from '../../registry/port.ts';
import { assert, Violation } from '../interleavings/race-run.ts';
import type { PlantedInServices } from '../interleavings/services-in-memory.ts';
import type { SessionAsk } from './session-asks.ts';
import { checkSessions, positionOf, Session } from './session-model.ts';
import {
  type BodyForm,
  BrokenOff,
  beginAgain,
  cancel,
  get,
  patch,
  put,
  type SessionRequest,
} from './session-requests.ts';
import { type Client, clients, type Plan, type Task, tokenOf, undisturbed, World } from './world.ts';

const maxSessions = 3;
const maxRounds = 16;
const secondsPerDay = 86_400;
const whole: BodyForm = { chunkBytes: 7, brokenAfter: undefined, isSized: true };
const passing = ['ServerException', 'ServiceUnavailableException'];

/** An error's code, or undefined where it is done. */
type Outcome = string | undefined;

type Sending = { readonly client: Client; readonly process: number; readonly request: SessionRequest };

export class SessionProgram {
  readonly world: World;
  readonly #sessions: Session[] = [];

  constructor(planted: PlantedInServices = {}) {
    this.world = new World(planted);
  }

  /** Requests at once, at two processes. @throws Violation */
  async send(asks: readonly SessionAsk[], plan: Plan): Promise<void> {
    const { isIdle } = this.world.services.scheduler;
    const isUndisturbed = asks.length === 1 && plan.faults.length === 0 && isIdle();
    const sendings = asks.map((ask) => this.#sendingOf(ask));
    await this.#together(
      sendings.map((sending) =>
        this.#taskOf(sending, (outcome) => {
          assert(
            !isUndisturbed || !passing.includes(outcome ?? ''),
            `${sending.request.name} fails: ${outcome}`,
          );
        }),
      ),
      plan,
    );
  }

  /** Every client gets its layer in the end: it asks how far it is, goes on from there, and begins again where it must. */
  async finish(): Promise<void> {
    for (const session of this.#sessions) {
      await this.#finishSession(session);
    }
  }

  async #finishSession(session: Session): Promise<void> {
    for (let round = 0; round < maxRounds; round++) {
      const outcome =
        (await this.#alone(session, get(session))) ??
        (await this.#alone(session, put(session, { body: 'rest', form: whole })));
      if (outcome === undefined) {
        return;
      }
      if (outcome === 'QuotaExceededException') {
        this.world.pass(secondsPerDay);
      } else if (outcome !== 'InvalidLayerPartException') {
        const begun = await this.#alone(session, beginAgain(session));
        assert(begun === undefined, `an upload cannot be begun: ${begun}`);
      }
    }
    throw new Violation('the client does not come to an end');
  }

  async #alone({ client }: Session, request: SessionRequest): Promise<Outcome> {
    let told: Outcome;
    const task = this.#taskOf({ client, process: 0, request }, (outcome) => {
      told = outcome;
    });
    await this.#together([task], undisturbed);
    return told;
  }

  #together(tasks: readonly Task[], plan: Plan): Promise<void> {
    return this.world.together(tasks, plan, () => checkSessions(this.#sessions, this.world.services));
  }

  #taskOf({ client, process, request }: Sending, told: (outcome: Outcome) => void): Task {
    const { name, session, run } = request;
    const isStranger = client !== session.client;
    return {
      instance: process,
      run: async ({ registry }) => {
        const { signal: abortSignal } = new AbortController();
        const origin = { sourceIp: undefined, userAgent: undefined, requestId: randomUUID() };
        let outcome: Outcome;
        try {
          await run(await registry({ ...origin, token: tokenOf(client), abortSignal, warn: () => {} }));
        } catch (error) {
          outcome = outcomeOf(error, session);
        }
        this.world.told(name, outcome ?? 'done', { client });
        assert(!isStranger || outcome !== undefined || name === 'DELETE', `a stranger does ${name}`);
        told(outcome);
      },
    };
  }

  #sendingOf(ask: SessionAsk): Sending {
    const found = this.#sessions[ask.session % this.#sessions.length];
    if (!found || (ask.ask === 'post' && this.#sessions.length < maxSessions)) {
      const session = new Session(ask.client, ask.layer);
      this.#sessions.push(session);
      return { client: ask.client, process: ask.process, request: beginAgain(session) };
    }
    const request = found.references.length === 0 ? beginAgain(found) : requestOf(ask, found);
    // A Location before the first byte is anybody's: it begins an upload of their own.
    const isStranger = ask.isStranger && positionOf(request.reference ?? '0') > 0;
    const other = clients.find((client) => client !== found.client) ?? found.client;
    return { client: isStranger ? other : found.client, process: ask.process, request };
  }
}

/** @throws what is neither a refusal nor the end of a body that breaks off */
function outcomeOf(error: unknown, { references }: Session): Outcome {
  if (error instanceof PortError && error.uploadState) {
    references.push(error.uploadState.reference);
  }
  if (error instanceof ProxyError) {
    return error.code;
  }
  if (error instanceof BrokenOff) {
    return 'broken off';
  }
  throw error;
}

function requestOf(ask: SessionAsk, session: Session): SessionRequest {
  switch (ask.ask) {
    case 'patch':
      return patch(session, ask);
    case 'put':
      return put(session, ask);
    case 'delete':
      return cancel(session);
    case 'post':
      return beginAgain(session);
    default:
      return get(session);
  }
}

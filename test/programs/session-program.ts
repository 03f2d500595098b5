// A program against the registry endpoint, over HTTP: what OCI clients send, what they are told, and what must hold.

import { patiently } from '../../lambda/retries.ts';
import type { HttpAnswer } from '../interleavings/endpoint.ts';
import { assert, Violation } from '../interleavings/race-run.ts';
import type { PlantedInServices } from '../interleavings/services-in-memory.ts';
import { type Client, mayPush } from './rights.ts';
import type { SessionAsk } from './session-asks.ts';
import { checkSessions, Session } from './session-model.ts';
import {
  type BodyForm,
  beginAgain,
  cancel,
  get,
  head,
  patch,
  put,
  type SessionRequest,
} from './session-requests.ts';
import { hangUp, type Plan, type Task, tokenOf, undisturbed, World } from './world.ts';

const maxSessions = 3;
const maxRounds = 16;
const secondsPerDay = 86_400;
const whole: BodyForm = { chunkBytes: 7, brokenAfter: undefined, isSized: true };
const passing = ['ServerException', 'ServiceUnavailableException'];
const denial = 'AccessDeniedException';
const brokenOff = 'broken off';

/** An error's code, or undefined where it is done. */
type Outcome = string | undefined;

type Sending = { readonly client: Client; readonly process: number; readonly request: SessionRequest };

export class SessionProgram {
  readonly world: World;
  readonly #sessions: Session[] = [];

  constructor(planted: PlantedInServices = {}) {
    this.world = new World(planted, patiently);
  }

  /** Requests at once, at two processes. @throws Violation */
  async send(asks: readonly SessionAsk[], plan: Plan): Promise<void> {
    const { isIdle } = this.world.services.scheduler;
    const isUndisturbed = asks.length === 1 && plan.faults.length === 0 && isIdle();
    const sendings = asks.map((ask) => this.#sendingOf(ask));
    await this.#together(
      sendings.map((sending) =>
        this.#taskOf(sending, (outcome) => {
          if (isUndisturbed) {
            expectUndisturbed(sending, outcome);
          }
        }),
      ),
      plan,
    );
  }

  /** Every client gets its layer in the end: it asks how far it is, goes on from there, and begins again where it must. */
  async finish(): Promise<void> {
    for (const session of this.#sessions) {
      if (mayPush(session.client, session.repositoryName)) {
        await this.#finishSession(session);
      }
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
    const { name, session, http, isPush, isOfOneClient, onDone } = request;
    const isStranger = client !== session.client;
    const isDenied = !mayPush(client, session.repositoryName);
    return {
      instance: process,
      isDenied: isDenied && isPush,
      run: async ({ instance, reach, atItsTurn }) => {
        const headers = { authorization: `Bearer ${tokenOf(client)}`, ...http.headers };
        const endpoint = instance.endpoint();
        const exchange = endpoint.send(reach, { ...http, headers });
        if (http.breaksOff) {
          void atItsTurn(hangUp, exchange.hangUp);
        }
        const answer = await exchange.answer;
        const outcome = answer === 'gone' ? brokenOff : answer.refusal;
        this.world.told(name, outcome ?? 'done', { client });
        const [fault] = endpoint.faults;
        assert(fault === undefined, `the endpoint has a fault: ${fault}`);
        assert(!(isDenied && isPush) || outcome !== undefined, `who may not push does ${name}`);
        assert(!(isStranger && isOfOneClient) || outcome !== undefined, `a stranger does ${name}`);
        if (answer !== 'gone' && !isStranger) {
          this.#learn(session, name, answer);
        }
        if (answer !== 'gone' && outcome === undefined) {
          onDone(answer);
        }
        told(outcome);
      },
    };
  }

  /** A client goes on where it is told to. */
  #learn(session: Session, name: string, { status, headers: { location } }: HttpAnswer): void {
    const isThere = this.world.services.ecr.layers.has(session.digest);
    assert(name !== 'HEAD' || status !== 200 || isThere, 'a layer is said to be there that is not');
    if (location?.includes('/uploads/')) {
      session.locations.push(location);
    }
  }

  #sendingOf(ask: SessionAsk): Sending {
    const found = this.#sessions[ask.session % this.#sessions.length];
    if (!found || (ask.ask === 'post' && this.#sessions.length < maxSessions)) {
      const session = new Session(ask.client, ask.repositoryName, ask.layer);
      this.#sessions.push(session);
      return { client: ask.client, process: ask.process, request: beginAgain(session) };
    }
    const isBegun = found.locations.length > 0 || !mayPush(found.client, found.repositoryName);
    const request = isBegun ? requestOf(ask, found) : beginAgain(found);
    // A Location before the first byte is anybody's: it begins an upload of their own.
    const isStranger = ask.isStranger && request.isOfOneClient;
    const other = found.client === 'a' ? 'b' : 'a';
    return { client: isStranger ? other : found.client, process: ask.process, request };
  }
}

/** @throws Violation */
function expectUndisturbed({ client, request }: Sending, outcome: Outcome): void {
  const { name, session, http, isPush } = request;
  assert(!passing.includes(outcome ?? ''), `${name} fails: ${outcome}`);
  const isDenied = isPush && !mayPush(client, session.repositoryName);
  const isTold = outcome === denial || (outcome === brokenOff && http.breaksOff === true);
  assert(isDenied ? isTold : outcome !== denial, `by the policy ${name} is not to be answered ${outcome}`);
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
    case 'head':
      return head(session);
    default:
      return get(session);
  }
}

// One trial: a request whose call meets a fault, what its client is answered, what is there then, and how it goes on.

import { isDeepStrictEqual } from 'node:util';
import { type ErrorCode, errors } from '../../api/errors.ts';
import { isSentAgain } from '../../api/send-again.ts';
import { ociManifest } from '../support/manifests.ts';
import { type Call, nameOf } from './answers.ts';
import type { Act } from './cloud.ts';
import type { Fault, Instance } from './faults.ts';
import type { Connection, Front, Memory, Next, Push, Reply, Serving, Situation } from './front.ts';
import { injectTimes } from './injected-times.ts';
import { signatureOf, Violation, violationsOf } from './lawfulness.ts';
import { digest, imageDigest, layer, manifest, tag } from './layer.ts';
import { cut } from './oci-requests.ts';
import type { World } from './world.ts';

/** Whose token, and in what state the instance is. */
export type Mode = { readonly instance: Instance; readonly token: 'client' | 'oidc' | 'session' };

/** What a request does where nothing is wrong. */
export type Usual = {
  readonly reply: Reply;
  readonly calls: readonly Call[];
  /** How long it takes this machine now. */
  readonly ms: number;
};

export type Outcome = {
  /** Undefined where the answer is the usual one. */
  readonly status: number | undefined;
  readonly next: Next;
  /** How many calls the fault had. */
  readonly struck: number;
};

export type Strike = {
  readonly fault: Fault;
  /** From this call on each to the same operation of the service, or this one alone. */
  readonly call: Call;
  readonly isOnce: boolean;
};

/** How wrong the proxy's clock is, and whose token the client has. */
export type WrongTime = { readonly byMs: number; readonly token: Mode['token'] };

/** AWS refuses what a wrong clock has signed, and the proxy a token that it takes for expired, or for a later one. */
const wrongTimeCodes = [
  'ServerException',
  'ServiceUnavailableException',
  'UnrecognizedClientException',
  'ExpiredTokenException',
] as const;
const unauthorized: ReadonlySet<string | undefined> = new Set([
  'UnrecognizedClientException',
  'ExpiredTokenException',
]);

const patienceMs = 28_000;
/** Longer than any run takes. */
const neverMs = 86_400_000;
/** For requests that end with their time: several times what the request takes, on a busy machine too. */
const impatienceMs = 60;
const usuals = 6;
const maxImpatienceMs = 1_000;

/** Without Retry-After: longer than an issuer is left alone for. */
const longPauseMs = 31_000;

/** Without the ids of uploads, which are others in each run. */
const tellable = (text: string): string => text.replace(/[0-9a-f]{8}-[0-9a-f-]+/g, 'an upload');

const isOfToken = ({ service }: Call): boolean => service === 'issuer' || service === 'secretsmanager';

const isStruck = ({ call, isOnce }: Strike, { service, operation, nth }: Call): boolean =>
  service === call.service && operation === call.operation && (isOnce ? nth === call.nth : nth >= call.nth);

export async function openTrials<Request>(world: World, front: Front<Request>) {
  const { cloud, clock } = world;
  const { state } = cloud;
  const warm = await front.serve(world.openInstance, clock.advance);

  const tokenOf = async (kind: Mode['token']): Promise<string> => {
    if (kind === 'session') {
      return world.sessionToken();
    }
    return kind === 'oidc' ? world.oidcToken() : world.clientToken;
  };

  for (const token of ['client', 'oidc'] as const) {
    await warm.connect(await tokenOf(token))(front.warmUp);
  }

  /** What a client of this token has done before, with the state of the services then. */
  const prepared = new Map<string, { readonly memory: Memory; readonly restore: () => void }>();

  async function prepare(
    situation: Situation<Request>,
    token: Mode['token'],
    connection: Connection<Request>,
  ): Promise<Memory> {
    const key = `${situation.of} ${situation.name} ${token}`;
    const known = prepared.get(key);
    if (known) {
      known.restore();
      return known.memory;
    }
    state.reset();
    if (situation.given !== undefined) {
      state.ecr.layers.set(digest, { bytes: layer, uploadId: 'before' });
    }
    if (situation.given === 'image') {
      state.ecr.images.set(imageDigest, { manifest, mediaType: ociManifest, tags: [tag] });
    }
    const memory = await situation.prepare(connection);
    if (!front.isStateful) {
      prepared.set(key, { memory, restore: state.keep() });
    }
    return memory;
  }

  /** The client comes with all that was before to an instance in the state of the mode. */
  async function begin(situation: Situation<Request>, { instance, token: kind }: Mode) {
    const isKept = instance === 'warm';
    const serving = isKept ? warm : await front.serve(world.openInstance, clock.advance);
    clock.reset();
    // The same for all requests: the bridge keeps an upload for its token.
    const token = await tokenOf(kind);
    const memory = await prepare(situation, kind, (front.isStateful ? serving : warm).connect(token));
    if (instance === 'cold' && front.isStateful) {
      await serving.kill();
    }
    const push = situation.push(serving.connect(token), memory);
    return { push, serving, end: async () => (isKept ? undefined : serving.close()) };
  }

  const pause = ({ headers }: Reply) => {
    const seconds = headers.get('retry-after');
    clock.advance(seconds === null ? longPauseMs : Number(seconds) * 1_000);
  };

  const assertLawful = (situation: Situation<Request>, push: Push, loses: boolean) => {
    const [violation] = violationsOf(state, situation.layer, loses ? undefined : push.acknowledged());
    if (violation !== undefined) {
      throw new Violation(violation);
    }
  };

  /** States and rests from which a client has come to its end before. */
  const proven = new Set<string>();
  /** Answers, and states with them, from which a client has gone on before, and how. */
  const known = new Map<string, Next>();

  async function goOn(
    situation: Situation<Request>,
    push: Push,
    reply: Reply,
    loses: boolean,
  ): Promise<Next> {
    const { next, rest, finish } = await push.goOn(reply, pause);
    assertLawful(situation, push, loses);
    const key = `${situation.of} ${situation.name} ${rest} ${signatureOf(state)}`;
    if (!proven.has(key)) {
      await finish();
      assertLawful(situation, push, loses);
      if (situation.isDone?.(state) === false) {
        throw new Violation('the client believes that it is done, and it is not');
      }
      proven.add(key);
    }
    return next;
  }

  /**
   * How the client goes on. What it was told and what is there decide that, and what the serving has kept: `kept` says
   * what that is, where it may be more than before the request.
   */
  async function finish(
    situation: Situation<Request>,
    push: Push,
    reply: Reply,
    { loses, kept }: { loses: boolean; kept: string },
  ): Promise<Next> {
    const { status, code, headers } = reply;
    const told = ['retry-after', 'location', 'range'].map((name) => tellable(headers.get(name) ?? ''));
    const { bytes } = push.acknowledged();
    const where = `${situation.of} ${situation.name}`;
    const key = JSON.stringify([where, status, code, told, bytes, loses, kept, signatureOf(state)]);
    const next = known.get(key) ?? (await goOn(situation, push, reply, loses));
    known.set(key, next);
    return next;
  }

  const isUsualReply = ({ isRead }: Situation<Request>, usual: Reply, reply: Reply) =>
    reply.status === usual.status &&
    reply.code === usual.code &&
    (!isRead || isDeepStrictEqual(reply.body, usual.body));

  function assertTold(situation: Situation<Request>, expected: readonly ErrorCode[], reply: Reply): void {
    const { status, code } = reply;
    const { as, of = expected } = situation.hidden ?? {};
    if (as === status && expected.some((one) => of.includes(one))) {
      return;
    }
    const row = expected.find((one) => {
      const form = front.formOf(one, situation);
      return form.status === status && (code === undefined || form.code === code);
    });
    if (row === undefined) {
      throw new Violation(`answered ${status} ${code} instead of ${expected.join(' or ') || 'as usual'}`);
    }
    const isTold = reply.headers.has('retry-after');
    if (front.tellsWhen && isTold !== isSentAgain(errors[row].sendAgain)) {
      throw new Violation(`${row} comes ${isTold ? 'with' : 'without'} Retry-After`);
    }
  }

  /** The request, of which the calls that are struck meet the fault. @returns its answer, and how many these were */
  async function ask(push: Push, serving: Serving<Request>, strike: Strike, ms: number) {
    let struck = 0;
    let replaced: Promise<void> | undefined;
    const counted: Act = (met) => {
      struck += 1;
      return strike.fault.act(met);
    };
    cloud.watch();
    cloud.arm(
      (call) => (isStruck(strike, call) ? counted : undefined),
      () => {
        replaced = serving.kill();
      },
    );
    // What tokens are checked against is given up before the request is.
    serving.setPatience(isOfToken(strike.call) ? patienceMs : ms);
    const reply = await push.ask();
    await replaced;
    serving.setPatience(patienceMs);
    injectTimes();
    if (strike.fault.isSilent) {
      await cloud.settled();
    }
    cloud.calm();
    return { reply, struck };
  }

  async function run(
    situation: Situation<Request>,
    mode: Mode,
    usual: Usual,
    strike: Strike,
    ms: number,
  ): Promise<Outcome> {
    const { fault, call } = strike;
    const { loses = false } = fault;
    if (fault.isDeath) {
      // A dead instance reads nothing again.
      injectTimes(neverMs);
    } else if (fault.isSilent && isOfToken(call)) {
      injectTimes(ms);
    }
    const { push, serving, end } = await begin(situation, mode);
    const { reply, struck } = await ask(push, serving, strike, fault.isSilent ? ms : patienceMs);
    if (struck === 0) {
      await end();
      throw new Violation('the call is not made any more');
    }
    const isUsual = isUsualReply(situation, usual.reply, reply);
    const isCut = fault.isDeath && front.death === 'cut' && reply.status === cut.status;
    if (!isUsual && !isCut) {
      const { death } = front;
      const codes = fault.isDeath && death !== 'cut' ? [death] : fault.codes[call.service];
      assertTold(situation, codes ?? [], reply);
    }
    assertLawful(situation, push, loses);
    // A clock that a service has set right, an issuer that is left alone for a while: an instance keeps that.
    const leaves = mode.instance === 'cold' || fault.isRemembered;
    const kept = `${serving.kept?.() ?? ''} ${leaves ? `${fault.name} ${nameOf(call)} ${strike.isOnce}` : ''}`;
    const next = await finish(situation, push, reply, { loses, kept });
    await end();
    return { status: isUsual ? undefined : reply.status, next: isUsual ? '' : next, struck };
  }

  /** Everything that may be asked again until then has been. */
  const maxRepeats = 6;

  /** @throws Violation */
  async function runAtWrongTime(
    situation: Situation<Request>,
    { byMs, token }: WrongTime,
    usual: Usual,
  ): Promise<string> {
    const { push, end } = await begin(situation, { instance: 'cold', token });
    clock.goWrong(byMs);
    const statuses: number[] = [];
    let reply = await push.ask();
    const isUsual = () => isUsualReply(situation, usual.reply, reply);
    // An upload that has failed is kept by nobody, and its client begins anew.
    const isOver = () => front.isStateful && statuses.length > 0 && reply.status === 404;
    while (!isUsual() && !isOver() && statuses.length < maxRepeats) {
      assertTold(situation, wrongTimeCodes, reply);
      assertLawful(situation, push, false);
      statuses.push(reply.status);
      if (unauthorized.has(reply.code) || reply.status === 401) {
        clock.goWrong(0);
      }
      reply = await push.ask();
    }
    clock.goWrong(0);
    await goOn(situation, push, reply, false);
    await end();
    return statuses.length === 0 ? 'ok' : statuses.join(' ');
  }

  return {
    /** @throws where the front is broken without any fault */
    usual: async (situation: Situation<Request>, mode: Mode): Promise<Usual> => {
      const { push, end } = await begin(situation, mode);
      const calls = cloud.watch();
      const begunAtMs = performance.now();
      const reply = await push.ask();
      const ms = performance.now() - begunAtMs;
      const called = [...calls()];
      if (reply.status >= 400 && !situation.isRefused) {
        throw new Violation(`${situation.name} is answered ${reply.status} ${reply.code} without a fault`);
      }
      await goOn(situation, push, reply, false);
      await end();
      return { reply, calls: called, ms };
    },

    /** @throws Violation */
    run: async (
      ...[situation, mode, usual, strike]: [Situation<Request>, Mode, Usual, Strike]
    ): Promise<Outcome> => {
      for (let ms = Math.max(impatienceMs, Math.ceil(usuals * usual.ms)); ; ms *= 5) {
        try {
          return await run(situation, mode, usual, strike, ms);
        } catch (error) {
          if (!strike.fault.isSilent || ms > maxImpatienceMs) {
            throw error;
          }
        }
      }
    },

    runAtWrongTime,

    close: () => warm.close(),
  };
}

export type Trials<Request> = Awaited<ReturnType<typeof openTrials<Request>>>;

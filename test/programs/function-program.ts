// A program against the functions: what its clients send, what they are told, and what has to be true throughout.

import { layerOf, partSize } from '../interleavings/content.ts';
import { type Reply, toItsEnd } from '../interleavings/protocol-client.ts';
import { assert } from '../interleavings/race-run.ts';
import type { PlantedInServices } from '../interleavings/services-in-memory.ts';
import type { Ask } from './asks.ts';
import { callFunction } from './function-call.ts';
import { mayPush } from './rights.ts';
import { completion, Images, initiation, partSending, type Sending } from './sendings.ts';
import { Truth, type Upload } from './upload-model.ts';
import { type Plan, type Task, tokenOf, undisturbed, World } from './world.ts';

const maxUploads = 4;
const secondsPerDay = 86_400;

/** As a client that keeps to the protocol sends it. */
const right = { kind: 'next', digests: 'own', sender: 'owner', front: 'resource' } as const;

/** Begun by whoever sends to an upload before there is one. */
const firstOne = { client: 'a', repositoryName: 'team/app', content: 'distinct', number: 0 } as const;

export class FunctionProgram {
  readonly world: World;
  readonly #uploads: Upload[] = [];
  readonly #images = new Images();
  readonly #truth: Truth;
  #requests = 0;

  constructor(planted: PlantedInServices = {}) {
    this.world = new World(planted);
    this.#truth = new Truth(this.world.services);
  }

  /** Requests at once. @throws Violation */
  async send(asks: readonly Ask[], plan: Plan): Promise<void> {
    const { isIdle } = this.world.services.scheduler;
    const isUndisturbed = asks.length === 1 && plan.faults.length === 0 && isIdle();
    const sendings = asks.flatMap((ask) => this.#sendingOf(ask) ?? []);
    await this.#together(
      sendings.map((sending) => this.#taskOf(sending, isUndisturbed)),
      plan,
    );
  }

  /** Every client comes to the end of its upload once nothing disturbs it, or pushes its layer anew. @throws Violation */
  async finish(): Promise<void> {
    for (const upload of [...this.#uploads]) {
      if (upload.isSpoilt) {
        await this.#pushAnew(upload);
      } else {
        await this.#finishUpload(upload);
      }
    }
    const image = {
      ask: 'put image',
      client: 'b',
      repositoryName: 'team/app',
      tag: 'end',
      front: 'aws',
    } as const;
    await this.#alone(this.#images.sending(image, this.#uploads, this.#truth));
  }

  async #finishUpload(upload: Upload): Promise<void> {
    const end = await toItsEnd({
      parts: upload.parts,
      from: Math.floor(upload.acknowledged / partSize),
      mayBeComplete: upload.askedFor.size > 0,
      isSpoilt: false,
      sendPart: (number) => this.#alone(partSending(upload, right, this.#truth, number)),
      complete: () => this.#alone(completion(upload, right, this.#truth)),
      awaits: (refusal) => {
        this.world.pass(secondsPerDay);
        return refusal.includes('Quota');
      },
    });
    assert(
      end === 'completed' || this.#truth.hasLayer(upload.digest),
      'a layer is said to be there that is not',
    );
  }

  async #pushAnew({ client, repositoryName, layer }: Upload): Promise<void> {
    let begun: Upload | undefined;
    const sending = initiation({ client, repositoryName, front: 'aws' }, layer, (upload) => {
      begun = upload;
      this.#uploads.push(upload);
    });
    await this.#alone(sending);
    assert(begun !== undefined, 'an upload cannot be begun');
    await this.#finishUpload(begun);
  }

  async #alone(sending: Sending): Promise<Reply> {
    let told: Reply = {};
    const task = this.#taskOf(sending, false, (reply) => {
      told = reply;
    });
    await this.#together([task], undisturbed);
    return told;
  }

  #together(tasks: readonly Task[], plan: Plan): Promise<void> {
    const check = () => this.#truth.check(this.#uploads, this.#images.acknowledged);
    return this.world.together(tasks, plan, check);
  }

  #taskOf(sending: Sending, isUndisturbed: boolean, told: (reply: Reply) => void = () => {}): Task {
    const { client, front, call, isWrong, onSuccess, expect } = sending;
    const instance = this.#requests % 3;
    this.#requests += 1;
    return {
      instance,
      isDenied: !mayPush(client, call.repositoryName),
      run: async ({ instance: on }) => {
        const answer = await callFunction(on, front, tokenOf(client), call);
        this.world.told(call.operation, answer.refusal ?? 'done', answer);
        assert(answer.refusal !== 'InternalFailure', 'a function has failed');
        if (answer.refusal === undefined) {
          assert(!isWrong, `${call.operation} succeeds, and must not`);
          onSuccess(answer);
        }
        if (isUndisturbed) {
          assert(answer.status < 500, `${call.operation} fails: ${answer.refusal}`);
          expect(answer);
        }
        told(answer);
      },
    };
  }

  #initiation(
    who: Parameters<typeof initiation>[0],
    { content, length, number }: Extract<Ask, { ask: 'initiate' }>['layer'],
  ): Sending {
    return initiation(who, layerOf(content, length, number), (upload) => this.#uploads.push(upload));
  }

  #sendingOf(ask: Ask): Sending | undefined {
    if (ask.ask === 'initiate') {
      return this.#uploads.length < maxUploads ? this.#initiation(ask, ask.layer) : undefined;
    }
    if (ask.ask === 'put image') {
      return this.#images.sending(ask, this.#uploads, this.#truth);
    }
    const upload = this.#uploads[ask.upload % this.#uploads.length];
    if (!upload) {
      return this.#initiation({ ...firstOne, front: ask.front }, { ...firstOne, length: 12 + ask.upload });
    }
    if (ask.ask === 'part') {
      return partSending(upload, ask, this.#truth);
    }
    const isWhole = upload.acknowledged >= upload.layer.length;
    return isWhole || ask.tooEarly
      ? completion(upload, ask, this.#truth)
      : partSending(upload, { ...ask, kind: 'next' }, this.#truth);
  }
}

// A client of the functions' APIs amid a push, at each of its requests: the columns of their tables.

import { type OperationName, operationsOf } from '../../api/operations.ts';
import { sessionTokenExchange } from '../../api/session-tokens.ts';
import { digestOf, partSize, partsIn } from '../interleavings/content.ts';
import { continued, finishNothing, isSuccess, unanswerable } from './continuation.ts';
import type { Connection, Continuation, Memory, Next, Reply, Situation } from './front.ts';
import type { FunctionRequest } from './function-serving.ts';
import { digest, imageDigest, layer, manifest, partOf, repositoryName, tag, waitingLayer } from './layer.ts';

type FunctionSituation = Situation<FunctionRequest>;

const maxRounds = 16;

/** What an upload cannot go on after. */
const lostUpload: ReadonlySet<string | undefined> = new Set([
  'UploadNotFoundException',
  'EmptyUploadException',
  'InvalidLayerException',
  'LayerPartTooSmallException',
]);

/** What a client that wants a layer or an image there takes for done. */
const isThere: ReadonlySet<string | undefined> = new Set([
  'LayerAlreadyExistsException',
  'ImageAlreadyExistsException',
]);

const refusedPart = 'InvalidLayerPartException';
const tooLarge = 'RequestEntityTooLargeException';

/** A number is a part’s, counted from 0. */
type Step = 'initiate' | 'complete' | 'a part elsewhere' | 'a large part' | number;

/** Parts that nobody should send after two others. */
const misshapen = {
  'a part elsewhere': { partFirstByte: 9, partLastByte: 12, layerPartBlob: layer.slice(9, 13) },
  'a large part': { partFirstByte: 8, partLastByte: 12, layerPartBlob: layer.slice(8, 13) },
} as const;

/** One client that pushes one layer. */
class LayerClient {
  readonly #connection: Connection<FunctionRequest>;
  readonly #bytes: Uint8Array;
  #uploadId: string | undefined;
  #acknowledged: number;

  constructor(connection: Connection<FunctionRequest>, bytes: Uint8Array, memory: Memory) {
    this.#connection = connection;
    this.#bytes = bytes;
    this.#uploadId = memory.uploadId;
    this.#acknowledged = memory.bytes;
  }

  get memory(): Memory {
    return { ...(this.#uploadId && { uploadId: this.#uploadId }), bytes: this.#acknowledged };
  }

  /** @returns what sends the same request each time, and takes note of its answer */
  request(step: Step, digests: readonly string[] = [digestOf(this.#bytes)]): () => Promise<Reply> {
    const request = this.#write(step, digests);
    let isRepeated = false;
    return async () => {
      const reply = await this.#connection(request, isRepeated);
      isRepeated = true;
      this.#note(step, reply);
      return reply;
    };
  }

  async run(...steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      const reply = await this.request(step)();
      if (!isSuccess(reply)) {
        throw unanswerable(String(step), reply);
      }
    }
  }

  /** From this step on, until the layer is complete. */
  async finish(from: Step | 'nothing'): Promise<void> {
    let step = from;
    for (let round = 0; step !== 'nothing'; round++) {
      const reply: Reply = await this.request(step)();
      const elsewhere = this.elsewhere(reply);
      const isPassing = reply.status >= 500;
      if (round === maxRounds || !(isSuccess(reply) || isThere.has(reply.code) || elsewhere || isPassing)) {
        throw unanswerable(String(step), reply);
      }
      step = isPassing ? step : (elsewhere?.step ?? this.after(step));
    }
  }

  /** Where a refusal sends the client; undefined where it sends it nowhere. */
  elsewhere({ code, body }: Reply): { next: Next; step: Step } | undefined {
    if (code === refusedPart || code === tooLarge) {
      const last = Number(body.lastValidByteReceived ?? -1);
      const part = (last + 1) / partSize;
      return { next: 'onwards', step: part < partsIn(this.#bytes.length) ? part : 'complete' };
    }
    return lostUpload.has(code) ? { next: 'anew', step: 'initiate' } : undefined;
  }

  after(step: Step): Step | 'nothing' {
    if (step === 'complete') {
      return 'nothing';
    }
    const part = typeof step === 'number' ? step + 1 : 0;
    return part < partsIn(this.#bytes.length) ? part : 'complete';
  }

  #write(step: Step, layerDigests: readonly string[]): FunctionRequest {
    if (step === 'initiate') {
      return { operation: 'InitiateLayerUpload', members: { repositoryName } };
    }
    const members = { repositoryName, uploadId: this.#uploadId ?? '' };
    if (step === 'complete') {
      return { operation: 'CompleteLayerUpload', members: { ...members, layerDigests: [...layerDigests] } };
    }
    const part = typeof step === 'number' ? partOf(this.#bytes, step) : misshapen[step];
    return { operation: 'UploadLayerPart', members: { ...members, ...part } };
  }

  #note(step: Step, reply: Reply): void {
    if (!isSuccess(reply)) {
      return;
    }
    if (step === 'initiate') {
      this.#uploadId = String(reply.body.uploadId);
      this.#acknowledged = 0;
    } else {
      const last = typeof step === 'number' ? partOf(this.#bytes, step).partLastByte : this.#bytes.length - 1;
      this.#acknowledged = Math.max(this.#acknowledged, last + 1);
    }
  }
}

type Of = OperationName | typeof sessionTokenExchange.name;

const noMemory: Memory = { bytes: 0 };

/** A request of a layer's upload after other steps of it. */
const uploading = (
  of: Of,
  name: string,
  before: readonly Step[],
  step: Step,
  {
    bytes = layer,
    digests,
    isRefused,
  }: { bytes?: Uint8Array; digests?: readonly string[]; isRefused?: true } = {},
): FunctionSituation => ({
  of,
  name,
  layer: bytes,
  subject: 'blob',
  ...(isRefused && { isRefused }),
  isDone: ({ ecr }) => ecr.layers.has(digestOf(bytes)),
  prepare: async (connection) => {
    const client = new LayerClient(connection, bytes, noMemory);
    await client.run(...before);
    return client.memory;
  },
  push: (connection, memory) => {
    const client = new LayerClient(connection, bytes, memory);
    const ask = client.request(step, digests);
    const toBe = (next: Next, rest: Step | 'nothing') => ({
      next,
      rest: String(rest),
      finish: () => client.finish(rest),
    });
    const after = (reply: Reply, next: Next) => {
      const elsewhere = client.elsewhere(reply);
      if (elsewhere) {
        return toBe(elsewhere.next, elsewhere.step);
      }
      if (isThere.has(reply.code)) {
        return toBe('there', 'nothing');
      }
      return isSuccess(reply) ? toBe(next, client.after(step)) : undefined;
    };
    return {
      ask,
      acknowledged: () => ({ uploadId: client.memory.uploadId?.slice(0, 36), bytes: client.memory.bytes }),
      goOn: (reply, pause) => continued(ask, reply, pause, after),
    };
  },
});

const ended = (next: Next): Continuation => ({ next, rest: 'nothing', finish: finishNothing });

/** A request that is all there is to do. */
const single = (request: FunctionRequest, isRead?: true): FunctionSituation => ({
  of: request.operation,
  name: request.operation,
  subject: 'manifest',
  given: isRead ? 'image' : 'layer',
  ...(isRead && { isRead }),
  prepare: async () => noMemory,
  push: (connection) => {
    let isRepeated = false;
    const ask = () => {
      const reply = connection(request, isRepeated);
      isRepeated = true;
      return reply;
    };
    const after = (reply: Reply, next: Next) => {
      if (isThere.has(reply.code)) {
        return ended('there');
      }
      return isSuccess(reply) ? ended(next) : undefined;
    };
    return {
      ask,
      acknowledged: () => ({ uploadId: undefined, bytes: 0 }),
      goOn: (reply, pause) => continued(ask, reply, pause, after),
    };
  },
});

const image = { repositoryName, imageManifest: manifest, imageTag: tag };

/** Each operation has its moments here: one without any does not compile. */
const moments = {
  InitiateLayerUpload: [uploading('InitiateLayerUpload', 'InitiateLayerUpload', [], 'initiate')],
  UploadLayerPart: [
    uploading('UploadLayerPart', 'UploadLayerPart, the first of a pair', ['initiate', 0, 1], 2),
    uploading('UploadLayerPart', '… the second of it', ['initiate', 0, 1, 2], 3),
    uploading('UploadLayerPart', '… the last, a short one', ['initiate', 0, 1, 2, 3], 4),
    uploading('UploadLayerPart', '… one that is there already', ['initiate', 0, 1, 2, 3], 2),
    uploading('UploadLayerPart', '… one too early', ['initiate', 0, 1], 3, { isRefused: true }),
    uploading('UploadLayerPart', '… one between two others', ['initiate', 0, 1], 'a part elsewhere', {
      isRefused: true,
    }),
    uploading('UploadLayerPart', '… one too large', ['initiate', 0, 1], 'a large part', { isRefused: true }),
  ],
  CompleteLayerUpload: [
    uploading('CompleteLayerUpload', 'CompleteLayerUpload', ['initiate', 0, 1, 2, 3, 4], 'complete'),
    uploading('CompleteLayerUpload', '… while a part waits', ['initiate', 0], 'complete', {
      bytes: waitingLayer,
    }),
    uploading('CompleteLayerUpload', '… a second time', ['initiate', 0, 'complete'], 'complete', {
      bytes: waitingLayer,
    }),
    uploading('CompleteLayerUpload', '… with another digest', ['initiate', 0], 'complete', {
      bytes: waitingLayer,
      digests: [digest],
      isRefused: true,
    }),
  ],
  BatchCheckLayerAvailability: [
    single(
      { operation: 'BatchCheckLayerAvailability', members: { repositoryName, layerDigests: [digest] } },
      true,
    ),
  ],
  PutImage: [
    {
      ...single({ operation: 'PutImage', members: image }),
      isDone: ({ ecr }) => ecr.images.get(imageDigest)?.tags.join() === tag,
    },
  ],
  BatchGetImage: [
    single({ operation: 'BatchGetImage', members: { repositoryName, imageIds: [{ imageDigest }] } }, true),
  ],
  ListImages: [single({ operation: 'ListImages', members: { repositoryName } }, true)],
  ListImageReferrers: [
    single(
      { operation: 'ListImageReferrers', members: { repositoryName, subjectId: { imageDigest } } },
      true,
    ),
  ],
  GetDownloadUrlForLayer: [
    single({ operation: 'GetDownloadUrlForLayer', members: { repositoryName, layerDigest: digest } }, true),
  ],
  [sessionTokenExchange.name]: [
    { ...single({ operation: sessionTokenExchange.name }), takesNoSession: true },
  ],
} as const satisfies Record<Of, readonly FunctionSituation[]>;

/** @param served the operations that an API has */
export const situationsOf = (served: readonly Of[]): readonly FunctionSituation[] =>
  served.flatMap((of): readonly FunctionSituation[] => moments[of]);

/** Each operation that ECR Public has, at its moments; every request names its registry by an alias. */
export const publicSituations: readonly FunctionSituation[] = situationsOf(operationsOf(['ecr-public']));

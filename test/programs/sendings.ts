// What a client's wish becomes at this moment: a request, and what has to become of it.

import { createHash } from 'node:crypto';
import { partSize, positionsOf } from '../interleavings/content.ts';
import { assert } from '../interleavings/race-run.ts';
import type { Ask } from './asks.ts';
import type { Front } from './deployment.ts';
import type { FunctionAnswer, FunctionCall } from './function-call.ts';
import { type Client, mayPush, type Repository, repositories } from './rights.ts';
import { type Truth, Upload } from './upload-model.ts';

type AskFor<Name extends Ask['ask']> = Extract<Ask, { ask: Name }>;
type Part = NonNullable<FunctionCall['part']>;

export type Sending = {
  readonly client: Client;
  readonly front: Front;
  readonly call: FunctionCall;
  /** Nobody may be told that it is done. */
  readonly isWrong: boolean;
  readonly onSuccess: (answer: FunctionAnswer) => void;
  /** What it is answered where nothing disturbs it and nothing is on its way. @throws Violation */
  readonly expect: (answer: FunctionAnswer) => void;
};

const denial = 'AccessDeniedException';

/** Who sends it, and for which repository. */
function asSent({ client, repositoryName }: Upload, sender: AskFor<'part'>['sender']) {
  const elsewhere: Repository = repositories.find((one) => one !== repositoryName) ?? repositoryName;
  const stranger: Client = client === 'a' ? 'b' : 'a';
  const senders: Readonly<Record<typeof sender, { client: Client; repositoryName: Repository }>> = {
    owner: { client, repositoryName },
    stranger: { client: stranger, repositoryName },
    elsewhere: { client, repositoryName: elsewhere },
    nobody: { client: 'c', repositoryName },
  };
  return senders[sender];
}

/** The policy comes before the seal of an upload. */
function expectForeign(isDenied: boolean, refusal: string | undefined): void {
  const expected = isDenied ? denial : 'UploadNotFoundException';
  assert(refusal === expected, `a stranger is answered ${refusal}, and not ${expected}`);
}

export function initiation(
  { client, repositoryName, front }: Pick<AskFor<'initiate'>, 'client' | 'repositoryName' | 'front'>,
  layer: Uint8Array,
  begun: (upload: Upload) => void,
): Sending {
  const isDenied = !mayPush(client, repositoryName);
  return {
    client,
    front,
    call: { operation: 'InitiateLayerUpload', repositoryName },
    isWrong: isDenied,
    onSuccess: ({ uploadId = '' }) => {
      begun(new Upload(client, repositoryName, uploadId, layer));
    },
    expect: ({ refusal }) =>
      assert(refusal === (isDenied ? denial : undefined), `an upload is answered ${refusal}`),
  };
}

/** The part with this number, as its client should send it. */
export function partOf({ layer }: Upload, number: number): Part {
  const { partFirstByte: first, partLastByte: last } = positionsOf(number, layer.length);
  return { first, last, bytes: layer.slice(first, last + 1) };
}

/** What a client sends by mistake in place of a part. `isWrong`: no part is like that, so that it is refused. */
function mistaken(upload: Upload, kind: AskFor<'part'>['kind'], part: Part): Part & { isWrong?: true } {
  const { first, last, bytes } = part;
  switch (kind) {
    case 'short':
      return bytes.length > 1 ? { first, last: last - 1, bytes: bytes.slice(0, -1) } : part;
    case 'other':
      return { ...part, bytes: upload.other.slice(first, last + 1) };
    case 'long': {
      const long = Buffer.concat([bytes, Buffer.alloc(partSize + 1)]).subarray(0, partSize + 1);
      return { first, last: first + partSize, bytes: long, isWrong: true };
    }
    case 'shifted':
      return { first: first + 1, last: last + 1, bytes, isWrong: true };
    case 'misdeclared':
      return { first, last: last + 1, bytes, isWrong: true };
    default:
      return part;
  }
}

const steps: Partial<Record<AskFor<'part'>['kind'], number>> = { again: -1, late: -2, early: 1 };

const clamped = (number: number, { parts }: Upload) => Math.min(Math.max(number, 0), parts - 1);

export function partSending(
  upload: Upload,
  { kind, sender, front }: Pick<AskFor<'part'>, 'kind' | 'sender' | 'front'>,
  truth: Truth,
  number = clamped(Math.floor(upload.acknowledged / partSize) + (steps[kind] ?? 0), upload),
): Sending {
  const { isWrong: isNoPart = false, ...part } = mistaken(upload, kind, partOf(upload, number));
  const { client, repositoryName } = asSent(upload, sender);
  const isDenied = !mayPush(client, repositoryName);
  const isWrong = isNoPart || sender !== 'owner';
  if (!isWrong) {
    upload.sends(part.first, part.bytes);
    const isOwn = Buffer.from(part.bytes).equals(partOf(upload, number).bytes);
    upload.isSpoilt ||= !isOwn;
  }
  const has = truth.has(upload);
  const isMade = truth.layerMadeBy(upload) !== undefined;
  const mayExceed = truth.mayExceed(upload.client, part.bytes.length);
  return {
    client,
    front,
    call: { operation: 'UploadLayerPart', repositoryName, uploadId: upload.uploadId, part },
    isWrong,
    onSuccess: () => {
      upload.acknowledged = Math.max(upload.acknowledged, part.last + 1);
    },
    expect: ({ refusal, lastValidByteReceived, lastByteReceived }) => {
      if (isNoPart) {
        assert(refusal !== undefined, 'what is no part is taken');
      } else if (sender !== 'owner') {
        expectForeign(isDenied, refusal);
      } else if (isWrong || isMade || upload.isSpoilt || (mayExceed && refusal?.includes('Quota'))) {
        // Refused, or of no consequence.
      } else if (part.first === has || part.last < has) {
        assert(lastByteReceived === part.last, `a part that is the next is refused: ${refusal}`);
      } else {
        assert(refusal === 'InvalidLayerPartException', `a part that is not the next is answered ${refusal}`);
        assert(lastValidByteReceived === (has > 1 ? has - 1 : undefined), 'a refusal says a wrong position');
      }
    },
  };
}

export function completion(
  upload: Upload,
  { digests, sender, front }: Pick<AskFor<'complete'>, 'digests' | 'sender' | 'front'>,
  truth: Truth,
): Sending {
  const { client, repositoryName } = asSent(upload, sender);
  const isDenied = !mayPush(client, repositoryName);
  const { digest: own, otherDigest } = upload;
  const layerDigests = { own: [own], other: [otherDigest], both: [otherDigest, own] }[digests];
  if (sender === 'owner') {
    for (const digest of layerDigests) {
      upload.askedFor.add(digest);
    }
    // A part that waits for its second goes to ECR, which takes no other part after it.
    upload.isSpoilt ||= upload.acknowledged < upload.layer.length;
  }
  const isWhole = truth.has(upload) === upload.layer.length;
  const isThere = truth.hasLayer(own);
  return {
    client,
    front,
    call: {
      operation: 'CompleteLayerUpload',
      repositoryName,
      uploadId: upload.uploadId,
      members: { layerDigests },
    },
    isWrong: sender !== 'owner' || (digests === 'other' && !upload.isSpoilt),
    onSuccess: ({ layerDigest = '' }) => {
      assert(layerDigests.includes(layerDigest), 'a completion names a layer that was not asked for');
      upload.completed = layerDigest;
    },
    expect: ({ refusal }) => {
      if (sender !== 'owner') {
        expectForeign(isDenied, refusal);
      } else if (digests !== 'other' && isWhole && !upload.isSpoilt) {
        const isDone = refusal === undefined || (isThere && refusal === 'LayerAlreadyExistsException');
        assert(isDone, `a whole layer is not completed: ${refusal}`);
      } else if (!isWhole) {
        assert(refusal !== undefined || upload.isSpoilt, 'a layer is completed that is not whole');
      }
    },
  };
}

const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** An image of these layers, or of one that nobody has sent. */
function manifestOf(digests: readonly string[]): string {
  const layers = (digests.length > 0 ? digests : [sha256('nobody has sent this')]).map((digest) => ({
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest,
    size: 1,
  }));
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const config = { ...layers[0], mediaType: 'application/vnd.oci.image.config.v1+json' };
  return JSON.stringify({ schemaVersion: 2, mediaType, config, layers });
}

export class Images {
  /** Manifests by tag. */
  readonly acknowledged = new Map<string, string>();

  sending(
    { client, repositoryName, tag, front }: AskFor<'put image'>,
    uploads: readonly Upload[],
    truth: Truth,
  ): Sending {
    const known = uploads.flatMap(({ completed }) => completed ?? []);
    const imageManifest = manifestOf(known);
    // One tag is never put to two images.
    const imageTag = `${tag}-${known.length}`;
    const hasLayers = [...imageManifest.matchAll(/sha256:[0-9a-f]{64}/g)].every(([digest]) =>
      truth.hasLayer(digest),
    );
    const members = { imageManifest, imageTag };
    const isDenied = !mayPush(client, repositoryName);
    return {
      client,
      front,
      call: { operation: 'PutImage', repositoryName, members },
      isWrong: isDenied || !hasLayers,
      onSuccess: () => {
        this.acknowledged.set(imageTag, imageManifest);
      },
      expect: ({ refusal }) => {
        if (isDenied) {
          assert(refusal === denial, `an image that the policy denies is answered ${refusal}`);
        } else if (hasLayers) {
          const isDone = refusal === undefined || refusal === 'ImageAlreadyExistsException';
          assert(isDone, `an image is refused: ${refusal}`);
        } else {
          assert(refusal === 'LayersNotFoundException', `an image without its layers is answered ${refusal}`);
        }
      },
    };
  }
}

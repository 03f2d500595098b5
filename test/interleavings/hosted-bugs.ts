// Bugs of the registry endpoint's own code, planted where a test puts these in place of its modules; off until one is named.

import type { UploadPlace } from '../../registry/hosted/upload-place.ts';

type HostedBug =
  | 'bytes are acknowledged before ECR has them'
  | 'memory is used again while its bytes are on their way'
  | 'a Location is believed, whatever ECR says'
  | 'the seal of a Location is not checked'
  | 'the last two parts change places'
  | 'the policy is not asked';

/** The name of the one that is there. */
export const planted: { bug: string | undefined } = { bug: undefined };

const is = (bug: HostedBug): boolean => planted.bug === bug;

/** In place of `registry/hosted/part-sender.ts`. */
export function partSenderOf({
  PartSender,
  ...others
}: typeof import('../../registry/hosted/part-sender.ts')) {
  class Hasty extends PartSender {
    readonly #first: number;
    #bytes = 0;

    constructor(...given: ConstructorParameters<typeof PartSender>) {
      super(...given);
      this.#first = given[0].position;
    }

    override get place(): UploadPlace {
      const { uploadId, endsSmall, position } = super.place;
      const reached = is('bytes are acknowledged before ECR has them') ? this.#first + this.#bytes : position;
      return uploadId === undefined ? super.place : { uploadId, endsSmall, position: reached };
    }

    override async send(part: Buffer): Promise<void> {
      await super.send(part);
      this.#bytes += part.length;
    }

    override async settle(): Promise<void> {
      if (!is('bytes are acknowledged before ECR has them') || super.place.uploadId === undefined) {
        await super.settle();
      }
    }
  }
  return { ...others, PartSender: Hasty };
}

/** In place of `registry/hosted/part-buffers.ts`. */
export function partBuffersOf({ PartBuffers }: typeof import('../../registry/hosted/part-buffers.ts')) {
  class Shared extends PartBuffers {
    override take(): Buffer {
      const memory = super.take();
      if (is('memory is used again while its bytes are on their way')) {
        this.giveBack(memory);
      }
      return memory;
    }
  }
  return { PartBuffers: Shared };
}

/** In place of `registry/hosted/upload-place.ts`. */
export function uploadPlaceOf(original: typeof import('../../registry/hosted/upload-place.ts')) {
  const placeAt: typeof original.placeAt = (known, position) =>
    is('a Location is believed, whatever ECR says') ? known : original.placeAt(known, position);
  return { ...original, placeAt };
}

/** In place of `lambda/upload/seal.ts`. */
export function sealOf(original: typeof import('../../lambda/upload/seal.ts')) {
  const openSeal: typeof original.openSeal = (keys, id, binding) =>
    is('the seal of a Location is not checked')
      ? { uploadId: id.slice(0, 36), sending: 'direct' }
      : original.openSeal(keys, id, binding);
  return { ...original, openSeal };
}

/** In place of `registry/hosted/part-cutter.ts`. */
export function partCutterOf({
  PartCutter,
  ...others
}: typeof import('../../registry/hosted/part-cutter.ts')) {
  class Turned extends PartCutter {
    override *end(): Generator<Buffer> {
      const parts = [...super.end()];
      yield* is('the last two parts change places') ? parts.reverse() : parts;
    }
  }
  return { ...others, PartCutter: Turned };
}

/** In place of `policy/policies.ts`. */
export function policiesOf(original: typeof import('../../policy/policies.ts')) {
  const openPolicies: typeof original.openPolicies = (...given) => {
    const { decide } = original.openPolicies(...given);
    const allowed = { allowed: true, policies: [], errors: [] };
    return { decide: (request) => (is('the policy is not asked') ? allowed : decide(request)) };
  };
  return { ...original, openPolicies };
}

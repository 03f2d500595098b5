// A client that follows the protocol: it goes on from where an answer says, until its layer is complete.

import { partSize } from './content.ts';
import { assert, Violation } from './race-run.ts';

/** What it was answered: nothing of note, or an error by its name. */
export type Reply = {
  readonly refusal?: string | undefined;
  readonly lastValidByteReceived?: number | undefined;
};

export type ProtocolClient = {
  readonly parts: number;
  /** The part that it goes on with. */
  readonly from: number;
  /** A completion was sent, and may have been carried out. */
  readonly mayBeComplete: boolean;
  /** Bytes of its own were sent that are not the layer's. */
  readonly isSpoilt: boolean;
  /** @param place where the client is, as far as that decides what it does next */
  readonly sendPart: (part: number, place: string) => Promise<Reply>;
  readonly complete: (place: string) => Promise<Reply>;
  /** Whether the same request may be sent again after this refusal; waits until then. */
  readonly awaits: (refusal: string) => boolean;
};

const maxRounds = 16;

/** @throws Violation where it does not come to its end */
export async function toItsEnd(client: ProtocolClient): Promise<'completed' | 'exists' | 'spoilt'> {
  let part = client.from;
  let completesFirst = client.mayBeComplete;
  for (let round = 0; round < maxRounds; round++) {
    const completes = completesFirst || part >= client.parts;
    const place = [part, completesFirst, round].join();
    const { refusal, lastValidByteReceived } = await (completes
      ? client.complete(place)
      : client.sendPart(part, place));
    if (refusal === undefined) {
      if (completes) {
        return 'completed';
      }
      part += 1;
    } else if (refusal === 'LayerAlreadyExistsException') {
      // What a client takes for done: who made the layer is not known where the note of the completion was lost.
      return 'exists';
    } else if (refusal === 'InvalidLayerPartException') {
      part = Math.ceil(((lastValidByteReceived ?? -1) + 1) / partSize);
    } else if (completes && completesFirst) {
      completesFirst = false;
    } else if (!completes && refusal === 'UploadNotFoundException') {
      completesFirst = true;
    } else if (client.isSpoilt && refusal === 'InvalidLayerException') {
      return 'spoilt';
    } else {
      assert(client.awaits(refusal), `the client cannot go on: ${refusal}`);
    }
  }
  throw new Violation('the client does not come to an end');
}

// Takes the bytes of a blob as requests bring them, and ends the upload. Nothing is kept between requests. Decision 0024.

import { minEcrPartBytes } from '../../api/limits.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { type IncomingBytes, PortError } from '../port.ts';
import { PartCutter } from './part-cutter.ts';
import { PartSender, type SenderOptions } from './part-sender.ts';
import { nothingSent, placeAt, stateOf, type UploadPlace } from './upload-place.ts';

/** What ECR still has to do once a body has come whole. */
export type Rest = () => Promise<UploadPlace>;

const wrongOffset = (place: UploadPlace, detail: string) =>
  new PortError('InvalidLayerPartException', detail, { uploadState: stateOf(place) });

const notNext = (place: UploadPlace) =>
  wrongOffset(place, `The next byte of this upload is ${place.position}.`);

/** ECR would take the bytes, and refuse the layer in the end. */
const beginAgain = () =>
  wrongOffset(
    nothingSent,
    `The request before brought less than ${minEcrPartBytes} bytes, which ECR takes at a layer's end alone. Begin the blob again, in larger pieces or in one.`,
  );

/**
 * Where ECR is with an upload. It is asked about a part of no bytes there, which it is to have next.
 *
 * @throws UploadNotFoundException for one that does not exist, is another client's, or that ECR has forgotten
 */
export async function askEcr(
  place: UploadPlace,
  { calls, call, repositoryName }: Pick<SenderOptions, 'calls' | 'call' | 'repositoryName'>,
): Promise<UploadPlace> {
  const { uploadId, position } = place;
  if (uploadId === undefined) {
    return place;
  }
  try {
    const none = { partFirstByte: position, partLastByte: position - 1, layerPartBlob: new Uint8Array() };
    await calls.send('UploadLayerPart', { repositoryName, uploadId, ...none }, call);
    return place;
  } catch (error) {
    return placeAt(place, receivedOf(error));
  }
}

/** @throws any other failure: it does not say what ECR has */
function receivedOf(error: unknown): number {
  if (error instanceof ProxyError && error.code === 'InvalidLayerPartException') {
    return (error.members.lastValidByteReceived ?? -1) + 1;
  }
  throw error;
}

export type BodyOptions = SenderOptions & {
  /** No bytes come after this body: it may end in a part of any length. */
  readonly isLast: boolean;
};

/**
 * Sends a body to ECR as it comes, from `place` on. What ECR has of it already, since an answer was lost, is passed
 * over. If few bytes are new then, they are refused with ECR's position: a small part begins where its request's
 * Location says, so that whoever asks at that Location learns that it is one ({@link placeAt}).
 *
 * @returns once the body has come whole: what is left to do
 * @throws PortError with the upload's state where the bytes are not the next ones; what the body throws
 */
export async function takeBody(
  place: UploadPlace,
  incoming: IncomingBytes,
  options: BodyOptions,
): Promise<Rest> {
  if (incoming.length === 0) {
    return async () => place;
  }
  const reached = await askEcr(place, options);
  if (reached.position < place.position || (incoming.first ?? place.position) !== place.position) {
    throw notNext(reached);
  }
  const sender = new PartSender(reached, options);
  const cutter = new PartCutter(options.buffers);
  try {
    await gather({ incoming, place, reached, sender, cutter });
    const isNew = cutter.held > 0 && cutter.held < minEcrPartBytes;
    if (isNew && !options.isLast && reached.position !== place.position) {
      throw notNext(reached);
    }
  } catch (error) {
    cutter.shorten(0);
    throw misplaced(error, sender);
  }
  return async () => {
    try {
      for (const part of cutter.end()) {
        await sender.send(part);
      }
      await sender.settle();
      return sender.place;
    } catch (error) {
      throw misplaced(error, sender);
    }
  };
}

/** ECR expects another byte than this upload, as another request sends to it too. @throws any other failure as it is */
const misplaced = (error: unknown, { place }: PartSender): PortError =>
  error instanceof PortError ? error : notNext(placeAt(place, receivedOf(error)));

type Gathering = {
  incoming: IncomingBytes;
  /** Where the body begins, and where ECR is. */
  place: UploadPlace;
  reached: UploadPlace;
  sender: PartSender;
  cutter: PartCutter;
};

async function gather({ incoming, place, reached, sender, cutter }: Gathering): Promise<void> {
  let passedOver = reached.position - place.position;
  let arrivedBytes = 0;
  let isBegun = false;
  const chunks = brokenOff(incoming.chunks);
  for await (const arrived of chunks.read) {
    sender.assertGoing();
    arrivedBytes += arrived.length;
    const chunk = arrived.subarray(passedOver);
    passedOver -= arrived.length - chunk.length;
    if (chunk.length === 0) {
      continue;
    }
    if (reached.endsSmall) {
      throw beginAgain();
    }
    if (!isBegun) {
      isBegun = true;
      sender.begin();
    }
    for (const part of cutter.take(chunk)) {
      await sender.send(part);
    }
  }
  const failure = chunks.failure();
  if (failure) {
    // Of a layer's first body nobody knows by what name ECR has it.
    if (place.uploadId !== undefined) {
      cutter.shorten(keptOf(cutter.held, (incoming.length ?? Number.POSITIVE_INFINITY) - arrivedBytes));
      await sendHeld(cutter, sender);
    }
    throw failure.error;
  }
  if (passedOver > 0) {
    throw notNext(reached);
  }
}

/** A body that breaks off ends as one that has come whole, and says so: what has come of it need not come again. */
function brokenOff(chunks: AsyncIterable<Uint8Array>) {
  let failure: { readonly error: unknown } | undefined;
  async function* read() {
    try {
      yield* chunks;
    } catch (error) {
      failure = { error };
    }
  }
  return { read: read(), failure: () => failure };
}

/**
 * How much of what is held when a body breaks off goes to ECR. The client sends the body again, or what is missing of
 * it: neither of the two may be too small to be followed by another part.
 */
function keptOf(held: number, missing: number): number {
  const kept = Math.min(held, held + missing - minEcrPartBytes);
  return kept < minEcrPartBytes ? 0 : kept;
}

async function sendHeld(cutter: PartCutter, sender: PartSender): Promise<void> {
  for (const part of cutter.end()) {
    await sender.send(part);
  }
  await sender.settle();
}

// Pairing, pure: which bytes of a layer wait, which go to ECR, and where a client goes on. Decision 0001.

/** A part of a layer by its positions in bytes, the last one inclusive, as ECR counts. */
export type LayerPart = { readonly partFirstByte: number; readonly partLastByte: number };

/**
 * What the staging area knows of an upload: how many bytes ECR had when it was written, and how many wait
 * after them. A hint, never a proof: ECR may have more.
 */
export type UploadPosition = { readonly receivedBytes: number; readonly waitingBytes: number };

export const sizeOf = ({ partFirstByte, partLastByte }: LayerPart): number =>
  partLastByte - partFirstByte + 1;

/** Parts begin at whole multiples of the part size, which is the one that InitiateLayerUpload answered. */
export const isAligned = ({ partFirstByte }: LayerPart, partSize: number): boolean =>
  partFirstByte % partSize === 0;

const isFirstOfPair = ({ partFirstByte }: LayerPart, partSize: number) =>
  (partFirstByte / partSize) % 2 === 0;

/** The second of a pair has a partner that waits for it. */
export const isSecondOfPair = (part: LayerPart, partSize: number): boolean => !isFirstOfPair(part, partSize);

/** The first of a pair waits for the second, unless it is shorter than a part and thereby the last. */
export const waitsForSecond = (part: LayerPart, partSize: number): boolean =>
  isFirstOfPair(part, partSize) && sizeOf(part) === partSize;

/** Whether the bytes that wait are those right before the part, so that both go to ECR as one. */
export const joins = (position: UploadPosition, part: LayerPart): boolean =>
  position.waitingBytes > 0 && position.receivedBytes + position.waitingBytes === part.partFirstByte;

/** Whether the staging area says that ECR has all bytes before the part and none of it. */
export const isNext = (position: UploadPosition | undefined, part: LayerPart): boolean =>
  (position?.receivedBytes ?? 0) === part.partFirstByte;

/** ECR's `lastValidByteReceived` as a count. It is absent, or negative, before the first byte. */
export const countOf = (lastValidByteReceived: number | undefined): number =>
  Math.max((lastValidByteReceived ?? -1) + 1, 0);

/** How many bytes the proxy has of an upload: in ECR, and waiting right after them. */
export const receivedBytes = (bytesInEcr: number, position: UploadPosition | undefined): number =>
  position?.receivedBytes === bytesInEcr ? bytesInEcr + position.waitingBytes : bytesInEcr;

/** The error's text for a client that sent another part: ECR's sentence, and what to do. */
export const describeExpected = ({ partFirstByte }: LayerPart, received: number, partSize: number): string =>
  [
    `First byte of the layer part is ${partFirstByte} instead of ${received}.`,
    received % partSize === 0
      ? `Send the ${partSize} bytes from ${received} on; only the last part may be shorter.`
      : `The part before was shorter than ${partSize} bytes and thereby the last: complete the upload, or start a new one.`,
  ].join(' ');

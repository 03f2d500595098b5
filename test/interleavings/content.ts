// The layer of these tests: parts of four bytes, all different or all the same.

import { createHash } from 'node:crypto';

/** What the clients were promised: ECR's own sizes are as small (`ecr-in-memory.ts`). */
export const partSize = 4;

export const digestOf = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** `uniform` is a layer whose parts cannot be told apart by their bytes, as those of an empty disk. */
export type Content = 'distinct' | 'uniform';

/** @param number of the layer: distinct ones have no byte in common at one position, for some of them */
export const layerOf = (content: Content, length: number, number = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, position) =>
    content === 'uniform' ? 0 : 1 + ((number * 20 + position) % 127),
  );

/** The same positions with other bytes, as of a client that has mixed up its layers. */
export const otherThan = (layer: Uint8Array): Uint8Array => layer.map((byte) => byte ^ 0x80);

export const partsIn = (length: number): number => Math.ceil(length / partSize);

/** The positions of the part with this number, as ECR counts. */
export const positionsOf = (part: number, length: number) => ({
  partFirstByte: part * partSize,
  partLastByte: Math.min((part + 1) * partSize, length) - 1,
});

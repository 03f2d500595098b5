// What ends the Location of an upload: which one, and from which byte its next request goes on.

import { randomUUID } from 'node:crypto';

export type UploadReference = { readonly id: string; readonly position: number };

export const newUploadId = (): string => randomUUID();

export const referenceText = ({ id, position }: UploadReference): string => `${id}_${position}`;

/** @returns undefined for a text that no upload of a bridge has */
export function uploadReferenceOf(text: string): UploadReference | undefined {
  const [, id, position] = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})_(\d{1,15})$/.exec(text) ?? [];
  return id === undefined ? undefined : { id, position: Number(position) };
}

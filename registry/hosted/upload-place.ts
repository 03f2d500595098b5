// How far an upload is, as the end of its `Location` says it: nothing of it is kept anywhere else. Pure. Decision 0024.

import { randomUUID } from 'node:crypto';
import { minEcrPartBytes } from '../../api/limits.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import type { UploadState } from '../port.ts';

/** Before the first byte there is no upload at ECR. */
export type NothingSent = { readonly uploadId: undefined; readonly position: 0; readonly endsSmall: false };

export type UploadPlace =
  | NothingSent
  | {
      /** ECR's, sealed: worth nothing to anybody else. */
      readonly uploadId: string;
      readonly position: number;
      /** The last part is one that ECR takes no other after. */
      readonly endsSmall: boolean;
    };

export const nothingSent: NothingSent = { uploadId: undefined, position: 0, endsSmall: false };

/** A layer has less than 10^11 bytes. */
const pattern = /^(?<position>[1-9]\d{0,11})(?<small>s?)-(?<uploadId>[0-9a-f-]{1,256})$/;

const smallMark = 's';

/**
 * Neither position nor mark is sealed: ECR is asked for the one, and judges the other. Who changes them spoils an
 * upload of their own.
 */
export const stateOf = ({ uploadId, position, endsSmall }: UploadPlace): UploadState => ({
  // A name of its own, so that proxies and logs tell sessions apart.
  reference: `${position}${endsSmall ? smallMark : ''}-${uploadId ?? randomUUID()}`,
  position,
});

/** @throws UploadNotFoundException for a reference that was never given */
export function placeOf(reference: string): UploadPlace {
  if (/^0-[0-9a-f-]{36}$/.test(reference)) {
    return nothingSent;
  }
  const { position, small, uploadId } = pattern.exec(reference)?.groups ?? {};
  if (uploadId === undefined) {
    throw new ProxyError('UploadNotFoundException');
  }
  return { uploadId, position: Number(position), endsSmall: small === smallMark };
}

/**
 * The same upload where ECR says that it is. What came since the place that is known came by one request as a rule,
 * and such a request's parts are small only where it brings less than one part.
 */
export function placeAt<Place extends UploadPlace>(known: Place, position: number): UploadPlace {
  if (known.uploadId === undefined) {
    return nothingSent;
  }
  const { uploadId } = known;
  const endsSmall =
    position === known.position ? known.endsSmall : Math.abs(position - known.position) < minEcrPartBytes;
  return { uploadId, position, endsSmall };
}

// ECR's uploads as the registry endpoint's calls meet them: parts of 5 to 10 bytes, the last of a layer may be shorter.

import type { Members, Output } from '../../api/operations.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { type Answers, scriptedCalls } from './scripted-calls.ts';

export const smallLimits = { minEcrPartBytes: 5, maxEcrPartBytes: 10 };

export const repositoryName = 'team-a/app';

type Part = Members<'UploadLayerPart'>;
type Upload = { bytes: Buffer; parts: number[] };
type Failure = { readonly error: unknown; readonly after: boolean };

/** How ECR refuses a part that is not the next. */
export const notNextPart = (has: number): ProxyError =>
  new ProxyError('InvalidLayerPartException', 'not the next part', {
    members: has > 0 ? { lastValidByteReceived: has - 1 } : {},
  });

/** What no body may lead to: these are bugs of who sends, and no refusal that a client could heed. */
function assertPart({ parts }: Upload, { partFirstByte, partLastByte, layerPartBlob }: Part): void {
  const last = parts.at(-1) ?? smallLimits.minEcrPartBytes;
  if (last < smallLimits.minEcrPartBytes) {
    throw new Error('a part after one that is too small');
  }
  if (layerPartBlob.length !== partLastByte - partFirstByte + 1) {
    throw new Error('a part that is not as long as its positions say');
  }
  if (layerPartBlob.length > smallLimits.maxEcrPartBytes) {
    throw new Error('a part that is too large');
  }
}

export function ecrUploads(more: Answers = {}) {
  const uploads = new Map<string, Upload>();
  const failures: Failure[] = [];
  let gate: Promise<void> | undefined;

  const find = (uploadId: string): Upload => {
    const found = uploads.get(uploadId);
    if (!found) {
      throw new ProxyError('UploadNotFoundException');
    }
    return found;
  };

  /** A part of no bytes is a question: is this where the upload is? */
  function take(part: Part): Output<'UploadLayerPart'> {
    const { uploadId, partFirstByte, partLastByte, layerPartBlob } = part;
    const upload = find(uploadId);
    if (partFirstByte !== upload.bytes.length) {
      throw notNextPart(upload.bytes.length);
    }
    if (layerPartBlob.length > 0) {
      assertPart(upload, part);
      upload.bytes = Buffer.concat([upload.bytes, layerPartBlob]);
      upload.parts.push(layerPartBlob.length);
    }
    return { repositoryName, uploadId, lastByteReceived: partLastByte };
  }

  async function failing<Result>(work: () => Result): Promise<Result> {
    await gate;
    const failure = failures.shift();
    if (failure && !failure.after) {
      throw failure.error;
    }
    const result = work();
    if (failure) {
      throw failure.error;
    }
    return result;
  }

  const open = (uploadId: string, ...parts: Uint8Array[]): void => {
    uploads.set(uploadId, { bytes: Buffer.concat(parts), parts: parts.map(({ length }) => length) });
  };

  const { calls, sent } = scriptedCalls({
    InitiateLayerUpload: () =>
      failing(() => {
        const uploadId = `a${uploads.size}`;
        open(uploadId);
        return { uploadId, partSize: smallLimits.maxEcrPartBytes };
      }),
    UploadLayerPart: (part) => failing(() => take(part)),
    ...more,
  });

  return {
    calls,
    sent,
    uploads,
    open,
    /** The next call fails, before it has an effect or after. */
    fail: (error: unknown, after = false) => void failures.push({ error, after }),
    /** No call is answered before the gate is opened. @returns what opens it */
    close: (): (() => void) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return () => {
        gate = undefined;
        resolve();
      };
    },
  };
}

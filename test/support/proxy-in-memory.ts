// The proxy's resource API as an uploader meets it, in memory: what it was sent in order, and what it answers.

import type { OperationName } from '../../api/operations.ts';
import { ProxyProblem } from '../../client/problem.ts';
import type { UploadingClient } from '../../client/uploader.ts';
import type { Answers } from './scripted-calls.ts';

export const repositoryName = 'team-a/app';

/** A refusal as the client has read it. */
export const refusal = (
  code: string,
  members: Partial<ConstructorParameters<typeof ProxyProblem>[0]> = {},
): ProxyProblem => new ProxyProblem({ code, detail: `${code} it is`, retryable: false, ...members });

/** What was received, and what is to come, named as the last byte there is. */
export const notTheNext = (lastValidByteReceived?: number): ProxyProblem =>
  refusal('InvalidLayerPartException', { status: 416, lastValidByteReceived });

/** What one request comes to in place of a success. */
export type Reply = Error | 'taken' | { readonly lastByteReceived: number };

/** @param replies of the requests in their order; those after them succeed */
export function proxyInMemory(partSize: number, replies: readonly Reply[] = [], more: Answers = {}) {
  const sent: string[] = [];
  const signals: (AbortSignal | undefined)[] = [];
  const left = [...replies];
  /** Of the upload under way, by their first byte. */
  let parts = new Map<number, Buffer>();
  let uploads = 0;

  const answers: Answers = {
    InitiateLayerUpload: () => {
      uploads += 1;
      parts = new Map();
      return { uploadId: `u${uploads}`, partSize };
    },
    UploadLayerPart: ({ partFirstByte, partLastByte, layerPartBlob }) => {
      parts.set(partFirstByte, Buffer.from(layerPartBlob));
      return { lastByteReceived: partLastByte };
    },
    CompleteLayerUpload: ({ layerDigests: [layerDigest = ''] }) => ({ layerDigest }),
    ...more,
  };

  const client: UploadingClient = {
    signal: undefined,
    send: async (operation, members, { signal } = {}) => {
      sent.push(lineOf(operation, members));
      signals.push(signal);
      const reply = left.shift();
      if (reply instanceof Error) {
        throw reply;
      }
      const answer = answers[operation];
      if (answer === undefined) {
        throw new Error(`the test does not say what ${operation} answers`);
      }
      const output = await answer(members);
      return typeof reply === 'object' ? { ...output, ...reply } : output;
    },
  };
  return {
    client,
    sent,
    signals,
    arrived: () => Buffer.concat([...parts].sort(([one], [other]) => one - other).map(([, bytes]) => bytes)),
  };
}

/** As short as it may be to tell requests apart. */
function lineOf(operation: OperationName, members: object): string {
  if ('partFirstByte' in members && 'partLastByte' in members && 'uploadId' in members) {
    return `${members.uploadId} ${members.partFirstByte}-${members.partLastByte}`;
  }
  const { repositoryName: name, ...rest } = { repositoryName: '', ...members };
  const where = name === repositoryName ? '' : ` in ${name}`;
  return `${operation}${where} ${Object.values(rest).flat().join(' ')}`.trim();
}

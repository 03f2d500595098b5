// A client's request to a function, in the form of either API, and what it was answered.

import { z } from 'zod';
import type { OperationName } from '../../api/operations.ts';
import { awsEvent, type EventRequest, lambdaContext, proxyEvent } from '../support/proxy-event.ts';
import type { Front, Instance } from './deployment.ts';
import type { Repository } from './rights.ts';

/** A request, in ECR's member names. */
export type FunctionCall = {
  readonly operation: OperationName;
  readonly repositoryName: Repository;
  readonly uploadId?: string;
  readonly part?: { readonly first: number; readonly last: number; readonly bytes: Uint8Array };
  readonly members?: Readonly<Record<string, unknown>>;
};

const answer = z.object({
  /** Of a refusal: how the AWS API names it, and the resource API. */
  __type: z.string().optional(),
  code: z.string().optional(),
  uploadId: z.string().optional(),
  layerDigest: z.string().optional(),
  lastByteReceived: z.number().optional(),
  lastValidByteReceived: z.number().optional(),
});

export type FunctionAnswer = z.output<typeof answer> & {
  readonly status: number;
  /** The error's, or undefined. */
  readonly refusal: string | undefined;
};

function awsRequest({ repositoryName, uploadId, part, members }: FunctionCall): EventRequest {
  const ofPart = part && {
    partFirstByte: part.first,
    partLastByte: part.last,
    layerPartBlob: Buffer.from(part.bytes).toString('base64'),
  };
  return { json: { repositoryName, uploadId, ...ofPart, ...members } };
}

function resourceRequest({ repositoryName, uploadId, part, members }: FunctionCall): EventRequest {
  const path = uploadId === undefined ? {} : { uploadId };
  if (part === undefined) {
    return { path, json: { repositoryName, ...members } };
  }
  const headers = {
    'content-type': 'application/octet-stream',
    'content-range': `bytes ${part.first}-${part.last}/*`,
  };
  return { path, query: { repositoryName: [repositoryName] }, headers, bytes: part.bytes };
}

export async function callFunction(
  { handlers }: Instance,
  front: Front,
  token: string,
  call: FunctionCall,
): Promise<FunctionAnswer> {
  const request = front === 'aws' ? awsRequest(call) : resourceRequest(call);
  const headers = front === 'aws' ? { 'x-amz-security-token': token } : { authorization: `Bearer ${token}` };
  const toEvent = front === 'aws' ? awsEvent : proxyEvent;
  const event = toEvent(call.operation, { ...request, headers: { ...request.headers, ...headers } });
  const result = await handlers.get(call.operation)?.[front](event, lambdaContext());
  if (!result) {
    throw new Error(`no function serves ${call.operation}`);
  }
  const members = answer.parse(JSON.parse(result.body));
  return { ...members, status: result.statusCode, refusal: members.code ?? members.__type };
}

// What the AWS SDKs throw, read in one place: which service failed, how it answered, and whether it may have acted.

import { type CancellationReason, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { InvalidLayerPartException as PrivateInvalidLayerPart } from '@aws-sdk/client-ecr';
import { InvalidLayerPartException as PublicInvalidLayerPart } from '@aws-sdk/client-ecr-public';
import { z } from 'zod';
import type { ErrorMembers } from '../api/error-members.ts';
import type { ErrorCode } from '../api/errors.ts';
import { ProxyError } from '../api/proxy-error.ts';
import { everyRegistry, registries } from '../api/registries.ts';
import { codeOfUpstreamName, codeOfUpstreamStatus } from '../api/upstream-failures.ts';

/**
 * The metadata that the SDK adds to its outputs and exceptions; without a status no answer came. `clockSkewCorrected`:
 * the request was signed by a clock that was minutes off, and the next one will be by the service's.
 */
const metadataOf = z.object({
  $metadata: z.object({
    httpStatusCode: z.number().optional(),
    attempts: z.number().optional(),
    clockSkewCorrected: z.boolean().optional(),
  }),
});

const noteOn = (failure: unknown) => metadataOf.safeParse(failure).data?.$metadata;

export const isNamed = (failure: unknown, ...names: readonly string[]): boolean =>
  failure instanceof Error && names.includes(failure.name);

/** S3 has no such object. */
export const isAbsent = (failure: unknown): boolean => isNamed(failure, 'NotFound', 'NoSuchKey');

/** The object in S3 has changed since it was read: a 412, a 409 during another write, or a 404. */
export const isOvertaken = (failure: unknown): boolean =>
  isNamed(failure, 'PreconditionFailed', 'ConditionalRequestConflict', 'NoSuchKey');

/** Whether the SDK has sent the request more than once: an answer to an earlier attempt may be lost. */
export const wasRetried = (failure: unknown): boolean => (noteOn(failure)?.attempts ?? 1) > 1;

/** Whether the service has refused: unlike after a failure or a lost answer, it is certain that nothing was done. */
export function isRefusal(failure: unknown): boolean {
  const { httpStatusCode: status = 0 } = noteOn(failure) ?? {};
  return status >= 400 && status < 500 && !isNamed(failure, 'ServerException') && !wasRetried(failure);
}

/** Absent, or negative, before the first byte. */
const lastByte = z
  .int()
  .min(-1)
  .max(Math.max(...everyRegistry.map((registry) => registries[registry].largestLayerBytes)))
  .nullish();

/**
 * The last byte that ECR has, from its refusal of a part; undefined for any other failure.
 *
 * @throws ServerException where what ECR says is no position in a layer
 */
export function refusedPartOf(failure: unknown): { lastValidByteReceived: number | undefined } | undefined {
  if (!(failure instanceof PrivateInvalidLayerPart || failure instanceof PublicInvalidLayerPart)) {
    return undefined;
  }
  const { data, success } = lastByte.safeParse(failure.lastValidByteReceived);
  if (!success) {
    throw new ProxyError('ServerException', undefined, { cause: failure });
  }
  return { lastValidByteReceived: data ?? undefined };
}

/** Why each item of a transaction was not written; undefined for any other failure. */
export const cancellationReasonsOf = (failure: unknown): readonly CancellationReason[] | undefined =>
  failure instanceof TransactionCanceledException ? (failure.CancellationReasons ?? []) : undefined;

/** What ECR's exception has besides its name and message. */
export const upstreamMembersOf = (failure: unknown): ErrorMembers =>
  failure instanceof Error && 'kmsError' in failure && typeof failure.kmsError === 'string'
    ? { kmsError: failure.kmsError }
    : {};

/** The row of the error table; undefined for a failure of neither a service nor the network. */
export function upstreamCodeOf(failure: unknown): ErrorCode | undefined {
  if (!(failure instanceof Error)) {
    return undefined;
  }
  const nodeCode = 'code' in failure && typeof failure.code === 'string' ? failure.code : '';
  const note = noteOn(failure);
  return (
    codeOfUpstreamName(failure.name) ??
    codeOfUpstreamName(nodeCode) ??
    (note && codeOfUpstreamStatus(note.httpStatusCode, note))
  );
}

/** Whether the connection failed before the service answered anything. */
export const isUnanswered = (failure: unknown): boolean =>
  noteOn(failure)?.httpStatusCode === undefined && upstreamCodeOf(failure) === 'ServiceUnavailableException';

// A call as a front receives it: what it asks for, and what the steps need to answer it. No HTTP, and no event.

import type { Call, OperationName } from '../api/operations.ts';
import type { CallRecord } from './telemetry/call-record.ts';
import type { PartSending } from './upload/seal.ts';

/** Headers by lower-case name. */
export type Headers = Readonly<Record<string, string | undefined>>;

/** The members of an operation in ECR's names, not validated yet. */
export type RawMembers = Readonly<Record<string, unknown>>;

export type IncomingCall<Name extends OperationName = OperationName> = Call<Name> & {
  /** The token is in one of them. */
  readonly headers: Headers;
  /**
   * Called only after authentication. A front that has the bytes of a part returns them as bytes; base64 is for parts
   * in JSON.
   *
   * @throws ProxyError for a request that cannot be read
   */
  readonly readMembers: () => RawMembers | Promise<RawMembers>;
  /** How the front sends the parts of uploads; in pairs by default. It continues no upload that is sent another way. */
  readonly sending?: Extract<PartSending, 'direct'>;
  /** Whether a member that the operation does not have is an error, or ignored as AWS does. */
  readonly refusesUnknownMembers: boolean;
  /**
   * Is told, in words for the caller, of each quota that is nearly used, once an image is counted; that costs a read of
   * each quota's count. Not of parts: there are thousands, and an image comes at the end of every push.
   */
  readonly tellNearlyUsed?: ((text: string) => void) | undefined;
  /** Aborted when the caller no longer waits for the answer. */
  readonly abortSignal: AbortSignal;
  /** For this call alone. The front ends it, as only the front knows how the call was answered. */
  readonly record: CallRecord;
};

// A call as it comes in at a front: what it asks for, and what the steps need to answer it. No HTTP, and no event.

import type { Call, OperationName } from '../api/operations.ts';
import type { CallRecord } from './telemetry/call-record.ts';
import type { PartSending } from './upload/seal.ts';

/** Headers by lower-case name. */
export type Headers = Readonly<Record<string, string | undefined>>;

/** The members of an operation in ECR's names, before anything is known of their values. */
export type RawMembers = Readonly<Record<string, unknown>>;

export type IncomingCall<Name extends OperationName = OperationName> = Call<Name> & {
  /** The token is in one of them. */
  readonly headers: Headers;
  /**
   * Asked once it is known who calls, and not before. A front that has the bytes of a part gives them as they are;
   * base64 is for those that come in JSON.
   *
   * @throws ProxyError for what it cannot read
   */
  readonly readMembers: () => RawMembers | Promise<RawMembers>;
  /** How the front sends the parts of uploads: in pairs, where it does not say. It goes on with no others. */
  readonly sending?: Extract<PartSending, 'direct'>;
  /** Whether a member that the operation does not have is an error, or passed over as AWS does. */
  readonly refusesUnknownMembers: boolean;
  /**
   * Is told, in words for the caller, of each quota that is nearly used, once an image is counted; that costs a read of
   * each quota's count. Not of parts: there are thousands, and an image comes at the end of every push.
   */
  readonly tellNearlyUsed?: ((text: string) => void) | undefined;
  /** Fires when nobody waits for the answer any more. */
  readonly abortSignal: AbortSignal;
  /** Of this call alone. Whoever makes the call ends it, as only they know how it was answered. */
  readonly record: CallRecord;
};

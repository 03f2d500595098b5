// What the matrix asks of a front: its requests, each at its moment of a push, and the form of its errors.

import type { ErrorCode } from '../../api/errors.ts';
import type { Subject } from '../../api/oci.ts';
import type { Registry } from '../../api/registries.ts';
import type { FunctionServices } from '../../lambda/function-services.ts';
import type { Retries } from '../../lambda/retries.ts';
import type { AwsState } from './aws-state.ts';

/** An answer in the front's own form: `code` is undefined of a success, and of an error that has no body. */
export type Reply = {
  /** 0 where the connection broke instead. */
  readonly status: number;
  readonly code: string | undefined;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
};

/** How a client came to what it wants after the answer to the request in question. */
export const nexts = {
  /** Nothing was wrong with the answer. */
  '': 'nothing more to do',
  again: 'the same request again succeeds',
  onwards: 'the client goes on at the byte that it is told, or finds out',
  anew: 'the client begins the upload anew',
  there: 'the same request again says that it is there already',
} as const;
export type Next = keyof typeof nexts;

/** What a client was told: so many bytes of this upload are there. */
export type Acknowledged = { readonly uploadId: string | undefined; readonly bytes: number };

/** How a client goes on after an answer, until the request in question, or another way, has led on. */
export type Continuation = {
  readonly next: Next;
  /** What it does after that, by name: the same name and the same state lead to the same end. */
  readonly rest: string;
  /** Does the rest. @throws where the client cannot come to its end */
  readonly finish: () => Promise<void>;
};

/** One client amid a push. */
export type Push = {
  /** The request in question, the very same each time. */
  readonly ask: () => Promise<Reply>;
  /** Goes on after an answer as the protocol says. @throws where the client cannot */
  readonly goOn: (reply: Reply, pause: (reply: Reply) => void) => Promise<Continuation>;
  readonly acknowledged: () => Acknowledged;
};

/** Sends one request of a front's. @param isRepeated whether it was sent before, for fronts whose clients say so */
export type Connection<Request> = (request: Request, isRepeated?: boolean) => Promise<Reply>;

/** What a client was told before the request in question. */
export type Memory = { readonly uploadId?: string; readonly location?: string; readonly bytes: number };

export type Situation<Request> = {
  /** A column's heading. */
  readonly name: string;
  /** Which operation or route it is a request of. */
  readonly of: string;
  /** What is pushed. */
  readonly layer?: Uint8Array;
  /** What its errors are about; a problem document is the same everywhere. */
  readonly subject: Subject | 'problem';
  /** Does all that comes before the request. @returns what the client knows then */
  readonly prepare: (connection: Connection<Request>) => Promise<Memory>;
  readonly push: (connection: Connection<Request>, memory: Memory) => Push;
  /** What the repository has before. */
  readonly given?: 'layer' | 'image';
  /** Whether the client has what it wants. */
  readonly isDone?: (state: AwsState) => boolean;
  /** Its answer says what is there: any other would be wrong. */
  readonly isRead?: true;
  /** It takes no session token. */
  readonly takesNoSession?: true;
  /** It is refused, as it should be. */
  readonly isRefused?: true;
  /** The status in which failures are told that it must not say more of: every one, or those of these rows. */
  readonly hidden?: { readonly as: number; readonly of?: readonly ErrorCode[] };
};

/** A running front. */
export type Serving<Request> = {
  readonly connect: (token: string) => Connection<Request>;
  /** How long a request may take from now on. */
  readonly setPatience: (ms: number) => void;
  /** Of a front that keeps uploads: what it was answered itself during the last request, which is all that it goes by. */
  readonly kept?: () => string;
  /** The instance dies at once, and another takes its place. */
  readonly kill: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** Opens an instance: it has read nothing yet. */
export type Open = (retries: Retries) => FunctionServices;

export type Front<Request> = {
  readonly name: string;
  readonly registry: Registry;
  readonly situations: readonly Situation<Request>[];
  /** @param passTime for clients of its own that would wait */
  readonly serve: (open: Open, passTime: (ms: number) => void) => Promise<Serving<Request>>;
  /** What makes an instance read all that it keeps. */
  readonly warmUp: Request;
  /** How the front answers with a row of the error table. */
  readonly formOf: (
    code: ErrorCode,
    situation: Pick<Situation<Request>, 'subject'>,
  ) => { readonly status: number; readonly code: string };
  /**
   * Behind it are the steps, or the requests, of another front, where answers that no service gives are tried at every
   * moment: here at the first request of each operation that makes the call.
   */
  readonly isOverAnother?: true;
  /** How a client sees that the instance has died: its connection breaks, or a gateway answers. */
  readonly death: 'cut' | ErrorCode;
  /** Whether its errors have `Retry-After`. */
  readonly tellsWhen: boolean;
  /** Whether it keeps what a client has begun, so that what was before has to be done at the same serving each time. */
  readonly isStateful?: true;
};

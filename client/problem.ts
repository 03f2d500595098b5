// A request to the proxy that failed, as one class.

/** Codes of failures that are no ECR exception: of the network, and answers that are not the proxy's. */
export type ClientCode = 'NoAnswer' | 'RequestTimeout' | 'UnexpectedAnswer';

/** What is known of a failed request; every member but `code` and `detail` may be absent. */
type ProblemMembers = {
  /** The HTTP status; undefined where no answer came. */
  status?: number | undefined;
  /** The ECR exception's name, as in the proxy's error table, or a {@link ClientCode}. */
  code: string;
  detail: string;
  requestId?: string | undefined;
  /** InvalidLayerPartException: the position of the last byte the proxy has; absent where it has none. */
  lastValidByteReceived?: number | undefined;
  retryAfterSeconds?: number | undefined;
  /** Sending the same request again may succeed. */
  retryable: boolean;
};

/**
 * A request that the proxy refused, did not answer, or answered in a way that makes no sense. Its message is
 * for people; it never holds a token or a body.
 */
export class ProxyProblem extends Error {
  override readonly name = 'ProxyProblem';
  readonly status: number | undefined;
  readonly code: string;
  readonly detail: string;
  readonly requestId: string | undefined;
  readonly lastValidByteReceived: number | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly retryable: boolean;

  constructor(members: ProblemMembers) {
    const { status, code, detail, requestId } = members;
    const where = [status, requestId && `request ${requestId}`].filter(Boolean).join(', ');
    super(`${code}: ${detail}${where && ` (${where})`}`);
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.requestId = requestId;
    this.lastValidByteReceived = members.lastValidByteReceived;
    this.retryAfterSeconds = members.retryAfterSeconds;
    this.retryable = members.retryable;
  }
}

/** Whether something thrown is a {@link ProxyProblem} of this code. */
export const isProblem = (thrown: unknown, code: string): thrown is ProxyProblem =>
  thrown instanceof ProxyProblem && thrown.code === code;

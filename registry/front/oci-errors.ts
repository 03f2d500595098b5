// What an OCI client is told when something goes wrong: which failure becomes which of OCI's error codes.

import { errors, isErrorCode } from '../../api/errors.ts';
import { type OciCode, type OciForm, ociStatuses, type Subject } from '../../api/oci.ts';
import { LayerProblem, type LayerProblemCode } from '../../client/layer-problem.ts';
import { type ClientCode, ProxyProblem } from '../../client/problem.ts';
import { TokenProblem } from '../../client/token-problem.ts';

type Failure = ClientCode | LayerProblemCode;

/** What has no row in the error table. */
const table = {
  NoAnswer: 'UNAVAILABLE',
  RequestTimeout: 'UNAVAILABLE',
  UnexpectedAnswer: 'UNKNOWN',
  EmptyLayer: 'SIZE_INVALID',
  BytesGone: 'UNAVAILABLE',
  UploadLost: 'UNAVAILABLE',
  NoProgress: 'UNAVAILABLE',
  DigestMismatch: 'DIGEST_INVALID',
  SizeMismatch: 'SIZE_INVALID',
} as const satisfies Record<Failure, OciCode>;

export type OciErrorMembers = {
  detail?: object;
  headers?: Readonly<Record<string, string | number>>;
  /** Where HTTP asks for another than the code goes with. */
  status?: number;
};

/** The only error that reaches an OCI client. */
export class OciError extends Error {
  override readonly name = 'OciError';
  readonly code: OciCode;
  readonly detail: object | undefined;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly status: number;

  constructor(
    code: OciCode,
    message: string,
    { detail, headers = {}, status = ociStatuses[code] }: OciErrorMembers = {},
  ) {
    super(message);
    this.code = code;
    this.status = status;
    this.detail = detail;
    this.headers = headers;
  }
}

const isFailure = (code: string): code is Failure => Object.hasOwn(table, code);

export function ociCodeOf(code: string, subject: Subject): OciCode {
  if (isFailure(code)) {
    return table[code];
  }
  const form: OciForm = isErrorCode(code) ? errors[code].oci : 'UNKNOWN';
  return typeof form === 'string' ? form : form[subject];
}

/** The client's error for whatever was thrown; undefined for a fault of ours, of which a client learns nothing. */
export function ociErrorOf(thrown: unknown, subject: Subject): OciError | undefined {
  if (thrown instanceof OciError) {
    return thrown;
  }
  if (thrown instanceof TokenProblem) {
    return new OciError('UNAUTHORIZED', thrown.message);
  }
  if (thrown instanceof LayerProblem) {
    return new OciError(ociCodeOf(thrown.code, subject), thrown.message);
  }
  if (!(thrown instanceof ProxyProblem)) {
    return undefined;
  }
  const { code, detail, requestId, retryAfterSeconds } = thrown;
  return new OciError(ociCodeOf(code, subject), requestId ? `${detail} (request ${requestId})` : detail, {
    detail: { code, ...(requestId && { requestId }) },
    ...(thrown.retryable &&
      retryAfterSeconds !== undefined && { headers: { 'retry-after': retryAfterSeconds } }),
  });
}

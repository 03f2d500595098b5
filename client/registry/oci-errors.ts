// What an OCI client is told when something goes wrong: OCI's error codes, and which failure of ours becomes which.

import type { ErrorCode } from '../../lambda/errors.ts';
import { LayerProblem, type LayerProblemCode } from '../layer-problem.ts';
import { type ClientCode, ProxyProblem } from '../problem.ts';
import { TokenProblem } from '../token-problem.ts';

/**
 * OCI's codes with the status that each goes with; the last four are distribution's and ECR's own.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#error-codes
 */
export const ociStatuses = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 400,
  UNAUTHORIZED: 401,
  DENIED: 403,
  UNSUPPORTED: 405,
  TOOMANYREQUESTS: 429,
  RANGE_INVALID: 416,
  TAG_INVALID: 400,
  UNAVAILABLE: 503,
  UNKNOWN: 500,
} as const;

export type OciCode = keyof typeof ociStatuses;

/** What a request is about; the same refusal of ECR's is of a blob or of a manifest. */
export type Subject = 'blob' | 'manifest';

type Failure = ErrorCode | ClientCode | LayerProblemCode;

/** After UNAVAILABLE every client begins the blob anew, which is what helps; after the 400s and 403 none does. */
const table = {
  InvalidParameterException: { blob: 'BLOB_UPLOAD_INVALID', manifest: 'MANIFEST_INVALID' },
  UnrecognizedClientException: 'UNAUTHORIZED',
  ExpiredTokenException: 'UNAUTHORIZED',
  AccessDeniedException: 'DENIED',
  RepositoryNotFoundException: 'NAME_UNKNOWN',
  RegistryNotFoundException: 'NAME_UNKNOWN',
  UploadNotFoundException: 'BLOB_UPLOAD_UNKNOWN',
  LayerAlreadyExistsException: 'BLOB_UPLOAD_INVALID',
  ImageAlreadyExistsException: 'MANIFEST_INVALID',
  ImageTagAlreadyExistsException: 'TAG_INVALID',
  UnknownOperationException: 'UNSUPPORTED',
  RequestEntityTooLargeException: 'SIZE_INVALID',
  UnsupportedMediaTypeException: 'UNSUPPORTED',
  InvalidLayerPartException: 'BLOB_UPLOAD_INVALID',
  InvalidLayerException: 'DIGEST_INVALID',
  EmptyUploadException: 'BLOB_UPLOAD_INVALID',
  LayerPartTooSmallException: 'BLOB_UPLOAD_INVALID',
  ImageDigestDoesNotMatchException: 'DIGEST_INVALID',
  LayersNotFoundException: 'MANIFEST_BLOB_UNKNOWN',
  ReferencedImagesNotFoundException: 'MANIFEST_BLOB_UNKNOWN',
  // A quota that is used up: no client should try again, as all do after TOOMANYREQUESTS.
  LimitExceededException: 'DENIED',
  QuotaExceededException: 'DENIED',
  ThrottlingException: 'TOOMANYREQUESTS',
  UnsupportedCommandException: 'UNSUPPORTED',
  ServerException: 'UNAVAILABLE',
  KmsException: 'UNAVAILABLE',
  ServiceUnavailableException: 'UNAVAILABLE',
  GatewayTimeoutException: 'UNAVAILABLE',
  InternalFailure: 'UNKNOWN',
  NoAnswer: 'UNAVAILABLE',
  RequestTimeout: 'UNAVAILABLE',
  UnexpectedAnswer: 'UNKNOWN',
  EmptyLayer: 'SIZE_INVALID',
  BytesGone: 'UNAVAILABLE',
  UploadLost: 'UNAVAILABLE',
  NoProgress: 'UNAVAILABLE',
  DigestMismatch: 'DIGEST_INVALID',
  SizeMismatch: 'SIZE_INVALID',
} as const satisfies Record<Failure, OciCode | Record<Subject, OciCode>>;

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
  const row = isFailure(code) ? table[code] : 'UNKNOWN';
  return typeof row === 'string' ? row : row[subject];
}

/** The client's error for whatever was thrown; undefined for a fault of ours, of which a client learns nothing. */
export function ociErrorOf(thrown: unknown, subject: Subject): OciError | undefined {
  if (thrown instanceof OciError) return thrown;
  if (thrown instanceof TokenProblem) return new OciError('UNAUTHORIZED', thrown.message);
  if (thrown instanceof LayerProblem) return new OciError(ociCodeOf(thrown.code, subject), thrown.message);
  if (!(thrown instanceof ProxyProblem)) return undefined;
  const { code, detail, requestId, retryAfterSeconds } = thrown;
  return new OciError(ociCodeOf(code, subject), requestId ? `${detail} (request ${requestId})` : detail, {
    detail: { code, ...(requestId && { requestId }) },
    ...(thrown.retryable &&
      retryAfterSeconds !== undefined && { headers: { 'retry-after': retryAfterSeconds } }),
  });
}

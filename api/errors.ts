// The error table: each code with its HTTP status at each door, its public text, and the failures it comes from.

import { keySetRetryMs } from './limits.ts';
import type { Call, OperationName } from './operations.ts';
import type { Registry } from './registries.ts';

/** A row: what the client is told, and which failures of AWS's services and of the network mean it. */
export type ErrorRow = {
  /** The HTTP status at door 1. */
  status: number;
  /** At door 2, where it is not HTTP 400 with the code itself as `__type`. */
  aws?: { status?: number; type?: string };
  title: string;
  /** The public detail where the failure's own message must not or need not reach the client. */
  detail?: string;
  /** The client may send the same request again; seconds to wait are told in `Retry-After`. */
  retryAfterSeconds?: number;
  /** Where an answer may name another time than the row: the longest. */
  maxRetryAfterSeconds?: number;
  /** The operations that can be answered so, where not every one can. Sources: the API references of ECR. */
  operations?: readonly OperationName[];
  /** The registry whose operations can be answered so, where the other's cannot. */
  registry?: Registry;
  /** Error names of ECR, S3 and Secrets Manager, and error codes of Node.js, which become this row. */
  upstream: readonly string[];
};

const upstreamRefused =
  'The registry could not do this. The reason is in the proxy’s log, under the request id.';

export const errors = {
  InvalidParameterException: {
    status: 400,
    title: 'A member of the request is missing or ill-formed',
    upstream: ['InvalidParameterException'],
  },
  UnrecognizedClientException: {
    status: 401,
    title: 'No valid token',
    detail:
      'Send a token this proxy knows: Authorization: Bearer TOKEN, or as the password of Authorization: Basic.',
    upstream: [],
  },
  ExpiredTokenException: {
    status: 401,
    title: 'The token has expired',
    detail: 'Ask the operator of this proxy for a new token.',
    upstream: [],
  },
  AccessDeniedException: { status: 403, title: 'The policy does not allow this', upstream: [] },
  RepositoryNotFoundException: {
    status: 404,
    title: 'No such repository',
    upstream: ['RepositoryNotFoundException'],
  },
  RegistryNotFoundException: {
    status: 404,
    title: 'No such registry',
    registry: 'ecr-public',
    upstream: ['RegistryNotFoundException'],
  },
  UploadNotFoundException: {
    status: 404,
    title: 'No such upload',
    detail:
      'This client has no such upload in this repository: it was finished, it has expired, or it never was. ' +
      'Start a new one with InitiateLayerUpload.',
    operations: ['UploadLayerPart', 'CompleteLayerUpload'],
    upstream: ['UploadNotFoundException'],
  },
  LayerAlreadyExistsException: {
    status: 409,
    title: 'The layer is there already',
    operations: ['CompleteLayerUpload'],
    upstream: ['LayerAlreadyExistsException'],
  },
  ImageAlreadyExistsException: {
    status: 409,
    title: 'The image is there already',
    operations: ['PutImage'],
    upstream: ['ImageAlreadyExistsException'],
  },
  ImageTagAlreadyExistsException: {
    status: 409,
    title: 'The tag is there already and cannot be moved',
    operations: ['PutImage'],
    upstream: ['ImageTagAlreadyExistsException'],
  },
  // Door 2 alone: at door 1 API Gateway knows the routes.
  UnknownOperationException: { status: 404, title: 'No such operation', operations: [], upstream: [] },
  RequestEntityTooLargeException: {
    status: 413,
    // ECR's own name for a part of a wrong size.
    aws: { type: 'InvalidLayerPartException' },
    title: 'The body is larger than a part',
    operations: ['UploadLayerPart'],
    upstream: [],
  },
  UnsupportedMediaTypeException: {
    status: 415,
    aws: { type: 'SerializationException' },
    title: 'Wrong content type',
    upstream: [],
  },
  InvalidLayerPartException: {
    status: 416,
    title: 'Not the next part',
    operations: ['UploadLayerPart'],
    upstream: ['InvalidLayerPartException'],
  },
  InvalidLayerException: {
    status: 422,
    title: 'The layer has another digest',
    operations: ['CompleteLayerUpload'],
    upstream: ['InvalidLayerException'],
  },
  EmptyUploadException: {
    status: 422,
    title: 'The upload has no parts',
    operations: ['CompleteLayerUpload'],
    upstream: ['EmptyUploadException'],
  },
  LayerPartTooSmallException: {
    status: 422,
    title: 'A part that is not the last is too small',
    operations: ['CompleteLayerUpload'],
    upstream: ['LayerPartTooSmallException'],
  },
  ImageDigestDoesNotMatchException: {
    status: 422,
    title: 'The manifest has another digest',
    operations: ['PutImage'],
    upstream: ['ImageDigestDoesNotMatchException'],
  },
  LayersNotFoundException: {
    status: 422,
    title: 'The manifest names layers that are not in the repository',
    operations: ['PutImage'],
    upstream: ['LayersNotFoundException'],
  },
  ReferencedImagesNotFoundException: {
    status: 422,
    title: 'The manifest names images that are not in the repository',
    operations: ['PutImage'],
    upstream: ['ReferencedImagesNotFoundException'],
  },
  LimitExceededException: {
    status: 429,
    title: 'A limit of the registry is reached',
    retryAfterSeconds: 60,
    operations: ['UploadLayerPart', 'PutImage'],
    upstream: ['LimitExceededException'],
  },
  QuotaExceededException: {
    status: 429,
    // ECR's own name for a limit, which no SDK sends the same request again for.
    aws: { type: 'LimitExceededException' },
    title: 'A quota of this proxy is used up',
    // Retry-After says how long it is until the day ends.
    retryAfterSeconds: 86_400,
    maxRetryAfterSeconds: 86_400,
    operations: ['UploadLayerPart', 'PutImage'],
    upstream: [],
  },
  ThrottlingException: {
    status: 429,
    title: 'Too many requests',
    detail: 'The registry asks for a slower pace. Send the same request again after the time in Retry-After.',
    retryAfterSeconds: 2,
    upstream: [
      'ThrottlingException',
      'Throttling',
      'TooManyRequestsException',
      'RequestLimitExceeded',
      'SlowDown',
    ],
  },
  UnsupportedCommandException: {
    status: 501,
    title: 'The registry does not offer this',
    registry: 'ecr-public',
    upstream: ['UnsupportedCommandException'],
  },
  ServerException: {
    status: 502,
    aws: { status: 500 },
    title: 'The registry failed',
    detail: upstreamRefused,
    upstream: [
      'ServerException',
      'UnknownOperationException',
      'InternalFailure',
      'InternalServerError',
      'InternalError',
      'AccessDeniedException',
      'AccessDenied',
      'UnrecognizedClientException',
      'ExpiredTokenException',
      'ExpiredToken',
      'InvalidClientTokenId',
      'InvalidSignatureException',
      'SignatureDoesNotMatch',
      'MissingAuthenticationTokenException',
      'CredentialsProviderError',
      'NoSuchBucket',
      'ResourceNotFoundException',
    ],
  },
  KmsException: {
    status: 502,
    title: 'The registry could not use its encryption key',
    detail: upstreamRefused,
    operations: ['InitiateLayerUpload', 'UploadLayerPart', 'CompleteLayerUpload', 'PutImage'],
    registry: 'ecr',
    upstream: ['KmsException'],
  },
  ServiceUnavailableException: {
    status: 503,
    aws: { status: 503 },
    title: 'The registry cannot be reached',
    detail: 'The registry or the staging area cannot be reached. Send the same request again.',
    retryAfterSeconds: 5,
    // Until an issuer's keys are fetched again.
    maxRetryAfterSeconds: keySetRetryMs / 1_000,
    upstream: [
      'ServiceUnavailable',
      'ServiceUnavailableException',
      'ECONNREFUSED',
      'ECONNRESET',
      'EPIPE',
      'ETIMEDOUT',
      'ENOTFOUND',
      'EAI_AGAIN',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'TimeoutError',
      'RequestTimeout',
      'ConditionalRequestConflict',
      'ProvisionedThroughputExceededException',
      'TransactionInProgressException',
      'PreconditionFailed',
    ],
  },
  GatewayTimeoutException: {
    status: 504,
    aws: { status: 504 },
    title: 'The registry did not answer in time',
    detail: 'Send the same request again: what the registry did in the meantime is recognised.',
    retryAfterSeconds: 1,
    upstream: ['AbortError'],
  },
  InternalFailure: {
    status: 500,
    aws: { status: 500 },
    title: 'A fault in the proxy',
    upstream: [],
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errors;

export const errorCodes = Object.keys(errors) as readonly ErrorCode[];

/** The codes that a call may be answered with. */
export const codesOf = ({ operation, registry }: Pick<Call, 'operation' | 'registry'>): ErrorCode[] =>
  errorCodes.filter((code) => {
    const row: ErrorRow = errors[code];
    return (row.operations?.includes(operation) ?? true) && (row.registry ?? registry) === registry;
  });

/** Members beside code and detail: those of ECR's exception, and those that tell a client what to mend. */
export type ErrorMembers = {
  /** QuotaExceededException: its name, what is used of it, what it allows, and when it begins anew. */
  quota?: string;
  used?: number;
  limit?: number;
  resetsAt?: string;
  registryId?: string;
  repositoryName?: string;
  uploadId?: string;
  lastValidByteReceived?: number;
  kmsError?: string;
  /** InvalidParameterException: the first members that are wrong, and what was expected of each. */
  invalidMembers?: readonly { member: string; expected: string }[];
  /** AccessDeniedException: the policies that decided. */
  policies?: readonly string[];
  /** AccessDeniedException: what was received of an OIDC token's claims. */
  claims?: Readonly<Record<string, string | readonly string[]>>;
};

/**
 * The only error that the steps throw. `detail` and `members` reach the client; `cause` reaches the log and
 * nobody else.
 */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  readonly code: ErrorCode;
  readonly members: ErrorMembers;
  /** For `Retry-After`, where it is known better than the row says. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    detail?: string,
    options: { members?: ErrorMembers; cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    const row: ErrorRow = errors[code];
    super(detail ?? row.detail ?? row.title, { cause: options.cause });
    this.code = code;
    this.members = options.members ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

const codeOfUpstreamName = new Map<string, ErrorCode>(
  errorCodes.flatMap((code) => errors[code].upstream.map((name): [string, ErrorCode] => [name, code])),
);

/** The row that a failure of ECR, S3, Secrets Manager or the network belongs to, by its name or Node.js code. */
export const errorCodeOf = (failure: unknown): ErrorCode | undefined => {
  if (!(failure instanceof Error)) return undefined;
  const code = 'code' in failure && typeof failure.code === 'string' ? failure.code : '';
  return codeOfUpstreamName.get(failure.name) ?? codeOfUpstreamName.get(code);
};

// The error table: each code with everything that clients learn of it.

import { challenge, type ErrorHeader, receivedRange } from './error-headers.ts';
import type { ErrorMemberName } from './error-members.ts';
import { keySetRetryMs } from './limits.ts';
import type { OciForm } from './oci.ts';
import type { Call, OperationName } from './operations.ts';
import type { Registry } from './registries.ts';
import type { SendAgain } from './send-again.ts';

/** A row: what the client learns. Which failures of AWS's services become it is in `upstream-failures.ts`. */
export type ErrorRow = {
  /** The HTTP status in the resource API. */
  status: number;
  /** In the AWS API, where it is not HTTP 400 with the code itself as `__type`. */
  aws?: { status?: number; type?: string };
  /** In the OCI distribution API. */
  oci: OciForm;
  title: string;
  /** The public detail where the failure's own message must not or need not reach the client. */
  detail?: string;
  /**
   * The text for a client of the AWS API in place of `detail`, and after a message of the error's own: it has no other
   * header to send than its session token's, and no `Retry-After` comes with the answer.
   */
  awsHint?: string;
  /** Whether and when the same request may be sent again. */
  sendAgain: SendAgain;
  /** The members that it may have, besides those of every error. */
  members?: readonly ErrorMemberName[];
  /** The headers that it may have in the resource API, besides `Retry-After`. */
  headers?: readonly ErrorHeader[];
  /** The operations that can be answered so, where not every one can. Sources: the API references of ECR. */
  operations?: readonly OperationName[];
  /** The registry whose operations can be answered so, where the other's cannot. */
  registry?: Registry;
};

/** A repository may be a cache of another registry's (a pull through cache rule), which ECR then could not read. */
const cacheFailed = {
  status: 502,
  title: 'The registry could not read what it is a cache of',
  sendAgain: 'never',
  oci: 'UNAVAILABLE',
  registry: 'ecr',
} as const;

/**
 * AWS's usual name for a limit that no waiting helps against, though not ECR's: at ECR's own, LimitExceededException,
 * most SDKs believe that they are throttled, and send the same request again. Decision 0021.
 */
const serviceQuotaExceeded = 'ServiceQuotaExceededException';

const reasonIsLogged = 'The reason is in the proxy’s log, under the request id.';
const upstreamFailed = `The registry could not do this. ${reasonIsLogged}`;

/** Those of ECR's InvalidLayerPartException. */
const refusedPart = ['registryId', 'repositoryName', 'uploadId', 'lastValidByteReceived'] as const;

export const errors = {
  InvalidParameterException: {
    status: 400,
    title: 'A member of the request is missing or ill-formed',
    sendAgain: 'never',
    members: ['invalidMembers'],
    oci: { blob: 'BLOB_UPLOAD_INVALID', manifest: 'MANIFEST_INVALID' },
  },
  // ECR's newer operations call it so.
  ValidationException: {
    status: 400,
    title: 'The registry finds a member of the request ill-formed',
    sendAgain: 'never',
    oci: { blob: 'BLOB_UPLOAD_INVALID', manifest: 'MANIFEST_INVALID' },
    operations: ['ListImageReferrers'],
    registry: 'ecr',
  },
  UnrecognizedClientException: {
    status: 401,
    title: 'No valid token',
    detail:
      'Send a token this proxy knows: Authorization: Bearer TOKEN, or as the password of Authorization: Basic.',
    awsHint: 'Send a token this proxy knows as the session token (AWS_SESSION_TOKEN).',
    sendAgain: 'never',
    headers: [challenge],
    oci: 'UNAUTHORIZED',
  },
  ExpiredTokenException: {
    status: 401,
    title: 'The token has expired',
    detail: 'Ask the operator of this proxy for a new token.',
    awsHint: 'Send a new one as the session token (AWS_SESSION_TOKEN).',
    sendAgain: 'never',
    headers: [challenge],
    oci: 'UNAUTHORIZED',
  },
  AccessDeniedException: {
    status: 403,
    title: 'The policy does not allow this',
    sendAgain: 'never',
    members: ['policies', 'claims'],
    oci: 'DENIED',
  },
  RepositoryNotFoundException: {
    status: 404,
    title: 'No such repository',
    sendAgain: 'never',
    oci: 'NAME_UNKNOWN',
  },
  RegistryNotFoundException: {
    status: 404,
    title: 'No such registry',
    sendAgain: 'never',
    oci: 'NAME_UNKNOWN',
    registry: 'ecr-public',
  },
  UploadNotFoundException: {
    status: 404,
    title: 'No such upload',
    detail:
      'This client has no such upload in this repository: it was finished, it has expired, or it never was. ' +
      'Start a new one with InitiateLayerUpload.',
    sendAgain: 'never',
    oci: 'BLOB_UPLOAD_UNKNOWN',
    operations: ['UploadLayerPart', 'CompleteLayerUpload'],
  },
  LayerAlreadyExistsException: {
    status: 409,
    title: 'The layer is there already',
    sendAgain: 'never',
    oci: 'BLOB_UPLOAD_INVALID',
    operations: ['CompleteLayerUpload'],
  },
  ImageAlreadyExistsException: {
    status: 409,
    title: 'The image is there already',
    sendAgain: 'never',
    oci: 'MANIFEST_INVALID',
    operations: ['PutImage'],
  },
  ImageTagAlreadyExistsException: {
    status: 409,
    title: 'The tag is there already and cannot be moved',
    sendAgain: 'never',
    oci: 'TAG_INVALID',
    operations: ['PutImage'],
  },
  // In the AWS API alone: of the resource API, API Gateway knows the routes.
  UnknownOperationException: {
    status: 404,
    title: 'No such operation',
    sendAgain: 'never',
    oci: 'UNSUPPORTED',
    operations: [],
  },
  RequestEntityTooLargeException: {
    status: 413,
    // ECR's own name for a part of a wrong size.
    aws: { type: 'InvalidLayerPartException' },
    title: 'The request is too large',
    sendAgain: 'never',
    members: refusedPart,
    headers: [receivedRange],
    oci: 'SIZE_INVALID',
    operations: ['UploadLayerPart'],
  },
  UnsupportedMediaTypeException: {
    status: 415,
    aws: { type: 'SerializationException' },
    title: 'Wrong content type',
    sendAgain: 'never',
    oci: 'UNSUPPORTED',
  },
  InvalidLayerPartException: {
    status: 416,
    title: 'Not the next part',
    sendAgain: 'never',
    members: refusedPart,
    headers: [receivedRange],
    oci: 'BLOB_UPLOAD_INVALID',
    operations: ['UploadLayerPart'],
  },
  InvalidLayerException: {
    status: 422,
    title: 'The layer has another digest',
    sendAgain: 'never',
    oci: 'DIGEST_INVALID',
    operations: ['CompleteLayerUpload'],
  },
  EmptyUploadException: {
    status: 422,
    title: 'The upload has no parts',
    sendAgain: 'never',
    oci: 'BLOB_UPLOAD_INVALID',
    operations: ['CompleteLayerUpload'],
  },
  LayerPartTooSmallException: {
    status: 422,
    title: 'A part that is not the last is too small',
    sendAgain: 'never',
    oci: 'BLOB_UPLOAD_INVALID',
    operations: ['CompleteLayerUpload'],
  },
  ImageDigestDoesNotMatchException: {
    status: 422,
    title: 'The manifest has another digest',
    sendAgain: 'never',
    oci: 'DIGEST_INVALID',
    operations: ['PutImage'],
  },
  LayersNotFoundException: {
    status: 422,
    title: 'Layers that the request names are not in the repository',
    sendAgain: 'never',
    oci: { blob: 'BLOB_UNKNOWN', manifest: 'MANIFEST_BLOB_UNKNOWN' },
    operations: ['PutImage', 'GetDownloadUrlForLayer'],
  },
  LayerInaccessibleException: {
    status: 422,
    title: 'The layer belongs to no image yet',
    sendAgain: 'never',
    oci: 'BLOB_UNKNOWN',
    operations: ['GetDownloadUrlForLayer'],
    registry: 'ecr',
  },
  ReferencedImagesNotFoundException: {
    status: 422,
    title: 'The manifest names images that are not in the repository',
    sendAgain: 'never',
    oci: 'MANIFEST_BLOB_UNKNOWN',
    operations: ['PutImage'],
  },
  LimitExceededException: {
    status: 429,
    aws: { type: serviceQuotaExceeded },
    title: 'A limit of the registry is reached',
    // Until somebody deletes images, or makes the layer smaller.
    sendAgain: 'never',
    oci: 'DENIED',
    // A completion sends the part that waits.
    operations: ['UploadLayerPart', 'CompleteLayerUpload', 'PutImage', 'BatchGetImage'],
  },
  QuotaExceededException: {
    status: 429,
    aws: { type: serviceQuotaExceeded },
    title: 'A quota of this proxy is used up',
    sendAgain: { at: 'resetsAt', atMostSeconds: 86_400 },
    members: ['quota', 'used', 'limit', 'resetsAt'],
    oci: 'DENIED',
    operations: ['UploadLayerPart', 'PutImage'],
  },
  ThrottlingException: {
    status: 429,
    title: 'Too many requests',
    detail: 'The registry asks for a slower pace. Send the same request again after the time in Retry-After.',
    awsHint: 'Send the same request again after a pause, as SDKs do by themselves.',
    sendAgain: { afterSeconds: 2 },
    // At TOOMANYREQUESTS and its 429 docker gives up at once; at 503 every client comes again.
    oci: 'UNAVAILABLE',
  },
  UnsupportedCommandException: {
    status: 501,
    title: 'The registry does not offer this',
    sendAgain: 'never',
    oci: 'UNSUPPORTED',
    registry: 'ecr-public',
  },
  ServerException: {
    status: 502,
    aws: { status: 500 },
    title: 'The registry failed',
    detail: upstreamFailed,
    sendAgain: { afterSeconds: 1 },
    // After UNAVAILABLE every client starts the blob again, which helps; after the 400s and 403 none does.
    oci: 'UNAVAILABLE',
  },
  UpstreamRefusedException: {
    status: 502,
    title: 'The registry or the staging area refuses the proxy',
    detail: `It would refuse the same request again: the operator of this proxy has to act. ${reasonIsLogged}`,
    sendAgain: 'never',
    // Docker sends a layer five times after any other answer.
    oci: 'DENIED',
  },
  UnableToGetUpstreamImageException: {
    ...cacheFailed,
    detail: upstreamFailed,
    operations: ['BatchGetImage'],
  },
  UnableToGetUpstreamLayerException: {
    ...cacheFailed,
    detail: upstreamFailed,
    operations: ['GetDownloadUrlForLayer'],
  },
  UnableToListUpstreamImageReferrersException: {
    ...cacheFailed,
    detail: upstreamFailed,
    operations: ['ListImageReferrers'],
  },
  KmsException: {
    status: 502,
    title: 'The registry could not use its encryption key',
    detail: upstreamFailed,
    sendAgain: 'never',
    members: ['kmsError'],
    oci: 'UNAVAILABLE',
    operations: ['InitiateLayerUpload', 'UploadLayerPart', 'CompleteLayerUpload', 'PutImage'],
    registry: 'ecr',
  },
  ServiceUnavailableException: {
    status: 503,
    aws: { status: 503 },
    title: 'A service that the proxy needs cannot be reached',
    detail: 'The registry or the staging area cannot be reached. Send the same request again.',
    sendAgain: { afterSeconds: 5, atMostSeconds: keySetRetryMs / 1_000 },
    oci: 'UNAVAILABLE',
  },
  GatewayTimeoutException: {
    status: 504,
    aws: { status: 504 },
    title: 'The registry did not answer in time',
    detail: 'Send the same request again: what the registry did in the meantime is recognised.',
    sendAgain: { afterSeconds: 1 },
    oci: 'UNAVAILABLE',
  },
  InternalFailure: {
    status: 500,
    aws: { status: 500 },
    title: 'A fault in the proxy',
    sendAgain: 'never',
    oci: 'UNKNOWN',
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

export const isErrorCode = (name: string): name is ErrorCode => Object.hasOwn(errors, name);

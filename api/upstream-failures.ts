// Which failures of AWS's services and of the network become which row of the error table.

import { type ErrorCode, isErrorCode } from './errors.ts';

/** By row: error names of ECR, S3, DynamoDB and Secrets Manager, and error codes of Node.js. */
export const upstreamFailures = {
  InvalidParameterException: ['InvalidParameterException'],
  RepositoryNotFoundException: ['RepositoryNotFoundException'],
  RegistryNotFoundException: ['RegistryNotFoundException'],
  UploadNotFoundException: ['UploadNotFoundException'],
  LayerAlreadyExistsException: ['LayerAlreadyExistsException'],
  ImageAlreadyExistsException: ['ImageAlreadyExistsException'],
  ImageTagAlreadyExistsException: ['ImageTagAlreadyExistsException'],
  InvalidLayerPartException: ['InvalidLayerPartException'],
  InvalidLayerException: ['InvalidLayerException'],
  EmptyUploadException: ['EmptyUploadException'],
  LayerPartTooSmallException: ['LayerPartTooSmallException'],
  ImageDigestDoesNotMatchException: ['ImageDigestDoesNotMatchException'],
  LayersNotFoundException: ['LayersNotFoundException'],
  LayerInaccessibleException: ['LayerInaccessibleException'],
  ReferencedImagesNotFoundException: ['ReferencedImagesNotFoundException'],
  LimitExceededException: ['LimitExceededException'],
  ThrottlingException: [
    'ThrottlingException',
    'Throttling',
    'TooManyRequestsException',
    'RequestLimitExceeded',
    'SlowDown',
  ],
  UnsupportedCommandException: ['UnsupportedCommandException'],
  ServerException: [
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
  KmsException: ['KmsException'],
  ServiceUnavailableException: [
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
  GatewayTimeoutException: ['AbortError'],
} as const satisfies Partial<Record<ErrorCode, readonly string[]>>;

const codeOfUpstreamName = new Map<string, ErrorCode>(
  Object.entries(upstreamFailures).flatMap(([code, names]) =>
    isErrorCode(code) ? names.map((name): [string, ErrorCode] => [name, code]) : [],
  ),
);

/** The row that a failure of ECR, S3, Secrets Manager or the network belongs to, by its name or Node.js code. */
export function errorCodeOf(failure: unknown): ErrorCode | undefined {
  if (!(failure instanceof Error)) {
    return undefined;
  }
  const code = 'code' in failure && typeof failure.code === 'string' ? failure.code : '';
  return codeOfUpstreamName.get(failure.name) ?? codeOfUpstreamName.get(code);
}

// Which failures of AWS's services and of the network become which row of the error table.

import { type ErrorCode, isErrorCode } from './errors.ts';

/**
 * By row: error names of ECR, S3 and DynamoDB, and error codes of Node.js. An error has a name here where the status
 * of its answer says less than the name, or something else.
 */
export const upstreamFailures = {
  InvalidParameterException: ['InvalidParameterException'],
  ValidationException: ['ValidationException'],
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
    'ThrottledException',
    'RequestThrottled',
    'RequestThrottledException',
    'TooManyRequestsException',
    'RequestLimitExceeded',
    'SlowDown',
    'KMS.ThrottlingException',
  ],
  UnsupportedCommandException: ['UnsupportedCommandException'],
  ServerException: [
    'ServerException',
    // The function's credentials and the SDK's idea of the time are new ones at the next request.
    'ExpiredTokenException',
    'ExpiredToken',
    'InvalidSignatureException',
    'SignatureDoesNotMatch',
    'RequestTimeTooSkewed',
    'RequestExpired',
  ],
  UnableToGetUpstreamImageException: ['UnableToGetUpstreamImageException'],
  UnableToGetUpstreamLayerException: ['UnableToGetUpstreamLayerException'],
  UnableToListUpstreamImageReferrersException: ['UnableToListUpstreamImageReferrersException'],
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
    'OperationAborted',
    'ConditionalRequestConflict',
    'ProvisionedThroughputExceededException',
    'TransactionInProgressException',
    'PreconditionFailed',
  ],
  GatewayTimeoutException: ['AbortError'],
} as const satisfies Partial<Record<ErrorCode, readonly string[]>>;

const codeOfName = new Map<string, ErrorCode>(
  Object.entries(upstreamFailures).flatMap(([code, names]) =>
    isErrorCode(code) ? names.map((name): [string, ErrorCode] => [name, code]) : [],
  ),
);

export const codeOfUpstreamName = (name: string): ErrorCode | undefined => codeOfName.get(name);

const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  408: 'ServiceUnavailableException',
  429: 'ThrottlingException',
  503: 'ServiceUnavailableException',
  504: 'GatewayTimeoutException',
};

/**
 * The row of an answer whose error has no name, or none of these: load balancers answer in HTML or with nothing, and
 * S3's answers to HEAD have no body. A redirection is a refusal: the service is configured to be elsewhere. A success
 * that cannot be read is the service's failure.
 *
 * @param status undefined where no answer came
 * @param clockSkewCorrected whether the request was signed by a wrong clock, which the next one will not be: S3 says so
 * to HEAD by a 403 alone
 */
export function codeOfUpstreamStatus(
  status: number | undefined,
  { clockSkewCorrected = false }: { readonly clockSkewCorrected?: boolean | undefined } = {},
): ErrorCode {
  if (status === undefined) {
    return 'ServiceUnavailableException';
  }
  const isRefusal = status >= 300 && status < 500 && !clockSkewCorrected;
  return codeOfStatus[status] ?? (isRefusal ? 'UpstreamRefusedException' : 'ServerException');
}

// The error table: every error this stand-in can answer, its HTTP status, and the calls that may meet it.

import { type Call, calls, type OperationName, operationNames, type RegistryName } from './registries.ts';

type ErrorRow = {
  readonly status: 400 | 413 | 500;
  readonly operations: readonly OperationName[];
  /** Set where only one registry's model has it. */
  readonly registry?: RegistryName;
};

const every = operationNames;
const pushes = ['InitiateLayerUpload', 'UploadLayerPart', 'CompleteLayerUpload', 'PutImage'] as const;

/**
 * Operations and registries as in the service models; the errors after `SerializationException` are AWS's common
 * ones, which no model lists. The models give a fault (client, server) and no status: 400 and 500 are inferred.
 */
export const errorTable = {
  ServerException: { status: 500, operations: every },
  InvalidParameterException: { status: 400, operations: every },
  RepositoryNotFoundException: { status: 400, operations: every },
  RegistryNotFoundException: { status: 400, operations: every, registry: 'ecr-public' },
  UnsupportedCommandException: { status: 400, operations: every, registry: 'ecr-public' },
  KmsException: { status: 400, operations: pushes, registry: 'ecr' },
  LimitExceededException: { status: 400, operations: ['UploadLayerPart', 'PutImage', 'BatchGetImage'] },
  UploadNotFoundException: { status: 400, operations: ['UploadLayerPart', 'CompleteLayerUpload'] },
  InvalidLayerPartException: { status: 400, operations: ['UploadLayerPart'] },
  EmptyUploadException: { status: 400, operations: ['CompleteLayerUpload'] },
  LayerPartTooSmallException: { status: 400, operations: ['CompleteLayerUpload'] },
  InvalidLayerException: { status: 400, operations: ['CompleteLayerUpload'] },
  LayerAlreadyExistsException: { status: 400, operations: ['CompleteLayerUpload'] },
  ImageDigestDoesNotMatchException: { status: 400, operations: ['PutImage'] },
  ImageAlreadyExistsException: { status: 400, operations: ['PutImage'] },
  ImageTagAlreadyExistsException: { status: 400, operations: ['PutImage'] },
  LayersNotFoundException: { status: 400, operations: ['PutImage', 'GetDownloadUrlForLayer'] },
  LayerInaccessibleException: { status: 400, operations: ['GetDownloadUrlForLayer'], registry: 'ecr' },
  ValidationException: { status: 400, operations: ['ListImageReferrers'], registry: 'ecr' },
  UnableToGetUpstreamImageException: { status: 400, operations: ['BatchGetImage'], registry: 'ecr' },
  UnableToGetUpstreamLayerException: { status: 400, operations: ['GetDownloadUrlForLayer'], registry: 'ecr' },
  UnableToListUpstreamImageReferrersException: {
    status: 400,
    operations: ['ListImageReferrers'],
    registry: 'ecr',
  },
  ReferencedImagesNotFoundException: { status: 400, operations: ['PutImage'] },
  SerializationException: { status: 400, operations: every },
  UnknownOperationException: { status: 400, operations: every },
  MissingAuthenticationTokenException: { status: 400, operations: every },
  IncompleteSignatureException: { status: 400, operations: every },
  InvalidSignatureException: { status: 400, operations: every },
  AccessDeniedException: { status: 400, operations: every },
  ThrottlingException: { status: 400, operations: every },
  RequestEntityTooLargeException: { status: 413, operations: every },
} as const satisfies Record<string, ErrorRow>;

export type ErrorName = keyof typeof errorTable;

/** An answer of ECR's other than success: `members` are sent in addition to `__type` and `message`. */
export class EcrError extends Error {
  override readonly name: ErrorName;
  readonly members: Readonly<Record<string, string | number>>;

  constructor(name: ErrorName, message: string, members: Readonly<Record<string, string | number>> = {}) {
    super(message);
    this.name = name;
    this.members = members;
  }
}

/** Whether ECR can answer `call` with `error` at all. */
export function canAnswer(call: Call, error: ErrorName): boolean {
  const row: ErrorRow = errorTable[error];
  return (
    calls.some(({ registry, operation }) => registry === call.registry && operation === call.operation) &&
    row.operations.includes(call.operation) &&
    (row.registry ?? call.registry) === call.registry
  );
}

/** ECR's words for a member that breaks its model. @see https://github.com/chainguard-dev/apko/issues/450 */
export const invalidParameter = (member: string, constraint: string): EcrError =>
  new EcrError(
    'InvalidParameterException',
    `Invalid parameter at '${member}' failed to satisfy constraint: '${constraint}'`,
  );

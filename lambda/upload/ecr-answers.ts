// Whether what ECR answers with success can be an answer to what it was asked: checked here, and believed from here on.

import type {
  BatchCheckLayerAvailabilityResponse,
  BatchGetImageResponse,
  CompleteLayerUploadResponse,
  GetDownloadUrlForLayerResponse,
  InitiateLayerUploadResponse,
  ListImageReferrersResponse,
  ListImagesResponse,
  PutImageResponse,
  UploadLayerPartResponse,
} from '@aws-sdk/client-ecr';
import type { Members, OperationName } from '../../api/operations.ts';
import { ProxyError } from '../../api/proxy-error.ts';

export type EcrOutputs = {
  InitiateLayerUpload: InitiateLayerUploadResponse;
  UploadLayerPart: UploadLayerPartResponse;
  CompleteLayerUpload: CompleteLayerUploadResponse;
  BatchCheckLayerAvailability: BatchCheckLayerAvailabilityResponse;
  PutImage: PutImageResponse;
  BatchGetImage: BatchGetImageResponse;
  ListImages: ListImagesResponse;
  ListImageReferrers: ListImageReferrersResponse;
  GetDownloadUrlForLayer: GetDownloadUrlForLayerResponse;
};

/**
 * One call; it rejects with the SDK's own exceptions, with AbortError when the signal fires, and with ServerException
 * where the answer is none to what was asked.
 */
export type EcrCall<Name extends OperationName> = (
  input: Members<Name>,
  abortSignal: AbortSignal,
) => Promise<EcrOutputs[Name]>;

/**
 * ECR's are UUIDs. Any other is taken that can be a part of the id that clients have, and so of a path: RFC 3986's
 * unreserved characters, and with its seal no more than the 256 that an uploadId may have.
 */
const uploadIdPattern = /^[A-Za-z0-9._~-]{1,200}$/;

type Checks = {
  readonly [Name in OperationName]: (input: Members<Name>, answer: EcrOutputs[Name]) => boolean;
};

/** As ECR writes digests itself. What others mean, such as `sha512:`, it decides. */
const ecrDigest = /^sha256:[0-9a-f]{64}$/;

/** Undefined among those that are asked for: an image that is read by its tag alone. */
const isOneOf = (asked: readonly (string | undefined)[], found: string | undefined): boolean =>
  found === undefined || asked.some((one) => one === found || !ecrDigest.test(one ?? ''));

/** Of what was asked something is said, if only that there is none. */
const saysSomething = (...lists: readonly (readonly unknown[] | undefined)[]): boolean =>
  lists.some((list) => list !== undefined && list.length > 0);

const answersWhatIsAsked: Checks = {
  InitiateLayerUpload: (_input, { uploadId }) =>
    typeof uploadId === 'string' && uploadIdPattern.test(uploadId),
  UploadLayerPart: ({ partLastByte }, { lastByteReceived }) => lastByteReceived === partLastByte,
  CompleteLayerUpload: ({ layerDigests }, { layerDigest }) => isOneOf(layerDigests, layerDigest),
  BatchCheckLayerAvailability: ({ layerDigests }, { layers = [], failures }) =>
    saysSomething(layers, failures) && layers.every(({ layerDigest }) => isOneOf(layerDigests, layerDigest)),
  // Without imageDigest the registry's word counts: moto's digest is that of the manifest as it writes it itself.
  PutImage: ({ imageDigest }, { image }) => isOneOf([imageDigest], image?.imageId?.imageDigest),
  BatchGetImage: ({ imageIds }, { images = [], failures }) =>
    saysSomething(images, failures) &&
    images.every(({ imageId }) =>
      isOneOf(
        imageIds.map(({ imageDigest }) => imageDigest),
        imageId?.imageDigest,
      ),
    ),
  ListImages: (_input, { imageIds }) => imageIds !== undefined,
  ListImageReferrers: (_input, { referrers }) => referrers !== undefined,
  GetDownloadUrlForLayer: ({ layerDigest }, answer) => isOneOf([layerDigest], answer.layerDigest),
};

/** What is not even of the form that the SDK says is no answer either. */
function isAnswer<Name extends OperationName>(
  operation: Name,
  input: Members<Name>,
  answer: EcrOutputs[Name],
): boolean {
  try {
    return answersWhatIsAsked[operation](input, answer);
  } catch {
    return false;
  }
}

/**
 * A call of ECR's whose answer is checked.
 *
 * @throws ServerException where it fails: it may be half an answer, or another's, and what was asked may be done or not
 */
export const answering =
  <Name extends OperationName>(operation: Name, ask: EcrCall<Name>): EcrCall<Name> =>
  async (input, abortSignal) => {
    const answer = await ask(input, abortSignal);
    if (!isAnswer(operation, input, answer)) {
      throw new ProxyError('ServerException', undefined, {
        cause: new Error(`what ECR answers to ${operation} is no answer to what was asked`),
      });
    }
    return answer;
  };

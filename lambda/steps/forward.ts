// Step 4, forward: a Permit becomes an Output. Only this step calls ECR and the staging area.

import { type OperationName, type OperationOf, type Output, operations } from '../../api/operations.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import type { Permit } from './authorize.ts';
import { putImage } from './forward/images.ts';
import { completeLayerUpload } from './forward/layer-completion.ts';
import { initiateLayerUpload, uploadLayerPart } from './forward/layer-parts.ts';
import { repositoryOf, type Upstream } from './forward/upstream.ts';

async function batchCheckLayerAvailability(
  permit: Permit<'BatchCheckLayerAvailability'>,
  upstream: Upstream,
) {
  return upstream.ecr[permit.registry].BatchCheckLayerAvailability(
    { ...permit.members, ...repositoryOf(permit) },
    upstream.abortSignal,
  );
}

/** For the operations that ECR Public does not have: ECR gets the request as the client sent it. */
const passOn =
  <Name extends Exclude<OperationName, OperationOf<'ecr-public'>>>(name: Name) =>
  ({ registryId, members }: Permit<Name>, { ecr, abortSignal }: Upstream): Promise<object> =>
    ecr.ecr[name]({ ...members, registryId: members.registryId ?? registryId }, abortSignal);

const forwarders: {
  readonly [Name in OperationName]: (permit: Permit<Name>, upstream: Upstream) => Promise<object>;
} = {
  InitiateLayerUpload: initiateLayerUpload,
  UploadLayerPart: uploadLayerPart,
  CompleteLayerUpload: completeLayerUpload,
  BatchCheckLayerAvailability: batchCheckLayerAvailability,
  PutImage: putImage,
  BatchGetImage: passOn('BatchGetImage'),
  ListImages: passOn('ListImages'),
  ListImageReferrers: passOn('ListImageReferrers'),
  GetDownloadUrlForLayer: passOn('GetDownloadUrlForLayer'),
};

/**
 * @throws ProxyError, or what the SDKs throw, which serve turns into an error of the table;
 *   ServerException when ECR's answer lacks what the operation's row requires
 */
export async function forward<Name extends OperationName>(
  permit: Permit<Name>,
  upstream: Upstream,
): Promise<Output<Name>> {
  const answer = await forwarders[permit.operation](permit, upstream);
  const { data, error } = operations[permit.operation].output.safeParse(answer);
  if (data === undefined) {
    throw new ProxyError('ServerException', undefined, { cause: error });
  }
  return data;
}

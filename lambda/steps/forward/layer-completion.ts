// CompleteLayerUpload: what waits goes to ECR, and ECR makes a layer of the upload. A repeated request gets the same answer.

import { createHash } from 'node:crypto';
import { ProxyError } from '../../../api/proxy-error.ts';
import { isNamed, isRefusal, wasRetried } from '../../sdk-failures.ts';
import type { DirectUpload } from '../../upload/direct-upload.ts';
import { prepareCompletion, renoteCompletion } from '../../upload/layer-upload.ts';
import type { Permit } from '../authorize.ts';
import { directUploadOf, layerUploadOf } from './upload-of.ts';
import type { Upstream } from './upstream.ts';

/** Those of the digests that are layers of the repository. */
async function findLayers({ ecr, repository, abortSignal }: DirectUpload, layerDigests: string[]) {
  const { layers = [] } = await ecr.BatchCheckLayerAvailability({ ...repository, layerDigests }, abortSignal);
  return layers.flatMap(({ layerAvailability, layerDigest }) =>
    layerAvailability === 'AVAILABLE' && layerDigest !== undefined ? [layerDigest] : [],
  );
}

/** Short enough for the metadata of an object, however many digests there are. */
const completionOf = (layerDigests: readonly string[]): string =>
  createHash('sha256')
    .update(JSON.stringify([...layerDigests].sort()))
    .digest('base64url');

/**
 * How a completion is answered when ECR knows no such upload. ECR forgets an upload once it is complete: if the client
 * has asked for the same completion before, only the answer was lost, and the digest that is a layer is this upload's.
 * With other digests, or where several are layers, it is not known which layer is this upload's.
 */
async function completedBefore(upload: DirectUpload, layerDigests: string[], isSame: boolean) {
  const found = await findLayers(upload, [...new Set(layerDigests)]);
  const [layerDigest] = found;
  if (layerDigest === undefined || (isSame && found.length === 1)) {
    return layerDigest;
  }
  throw new ProxyError(
    'LayerAlreadyExistsException',
    `The layer ${layerDigest} exists already. It is not known whether this upload made it: the upload was completed, or has expired.`,
  );
}

/** @throws the failure itself, unless ECR has forgotten the upload because it was completed before */
async function orCompletedBefore(
  failure: unknown,
  upload: DirectUpload,
  { layerDigests, isSame }: { layerDigests: string[]; isSame: boolean },
): Promise<{ layerDigest: string }> {
  const isForgotten = isNamed(failure, 'UploadNotFoundException');
  const layerDigest = isForgotten ? await completedBefore(upload, layerDigests, isSame) : undefined;
  if (layerDigest === undefined) {
    throw failure;
  }
  return { layerDigest };
}

/**
 * Which completion is to be removed from the slot after a failure: this one, if ECR has refused it; an earlier one, if
 * either of the two may have been carried out.
 */
function disprovedBy(
  failure: unknown,
  { completion, noted }: { completion: string; noted: string | undefined },
): string | undefined {
  if (isRefusal(failure)) {
    return completion;
  }
  return isNamed(failure, 'UploadNotFoundException') || noted === completion ? undefined : noted;
}

/** No part waits: ECR has them all. */
async function completeDirectUpload(permit: Permit<'CompleteLayerUpload'>, upstream: Upstream) {
  const upload = directUploadOf(permit, upstream);
  const { registryId, repositoryName, uploadId, ecr, repository, abortSignal } = upload;
  const { layerDigests } = permit.members;
  const complete = ecr.CompleteLayerUpload({ ...repository, uploadId, layerDigests }, abortSignal);
  const { layerDigest } = await complete.catch((error: unknown) => {
    const isSame = permit.isRepeated === true || wasRetried(error);
    return orCompletedBefore(error, upload, { layerDigests, isSame });
  });
  return { registryId, repositoryName, uploadId: permit.members.uploadId, layerDigest };
}

async function completePairedUpload(
  permit: Permit<'CompleteLayerUpload'>,
  partSize: number,
  upstream: Upstream,
) {
  const upload = layerUploadOf(permit, partSize, upstream);
  const { registryId, repositoryName, uploadId: ecrUploadId, ecr } = upload;
  const { layerDigests, uploadId } = permit.members;
  const completion = completionOf(layerDigests);
  let noted: string | undefined;
  const complete = async () => {
    noted = await prepareCompletion(upload, completion);
    const completed = await ecr.CompleteLayerUpload(
      { ...upload.repository, uploadId: ecrUploadId, layerDigests },
      upload.abortSignal,
    );
    if (noted !== undefined && noted !== completion) {
      await renoteCompletion(upload, noted, completion);
    }
    return completed;
  };
  const { layerDigest } = await complete().catch(async (error: unknown) => {
    const isForgotten = isNamed(error, 'UploadNotFoundException');
    const isSame = noted === completion || (noted === undefined && wasRetried(error));
    const disproved = disprovedBy(error, { completion, noted });
    if (disproved !== undefined && !(isForgotten && isSame)) {
      await renoteCompletion(upload, disproved, undefined);
    }
    return orCompletedBefore(error, upload, { layerDigests, isSame });
  });
  return { registryId, repositoryName, uploadId, layerDigest };
}

export function completeLayerUpload(permit: Permit<'CompleteLayerUpload'>, upstream: Upstream) {
  return permit.sending === 'direct'
    ? completeDirectUpload(permit, upstream)
    : completePairedUpload(permit, permit.sending.pairsOf, upstream);
}

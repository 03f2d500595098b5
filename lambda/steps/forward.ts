// Step 4, forward: a Permit becomes an Output. The only caller of ECR and of the staging area.

import { createHash } from 'node:crypto';
import { maxEcrPartBytes } from '../../api/limits.ts';
import { manifestOf } from '../../api/manifest.ts';
import type { Members, OperationName, OperationOf } from '../../api/operations.ts';
import { ProxyError } from '../../api/proxy-error.ts';
import { maxDirectLayerBytes, maxLayerBytes } from '../../api/registries.ts';
import { sealsWith } from '../../api/sealing-keys.ts';
import type { SecretReader } from '../identity/secret.ts';
import type { IncomingCall } from '../incoming-call.ts';
import { invalidMembers } from '../invalid-members.ts';
import { isNamed, isRefusal, wasRetried } from '../sdk-failures.ts';
import type { CallRecord } from '../telemetry/call-record.ts';
import { type DirectUpload, takeDirectPart } from '../upload/direct-upload.ts';
import type { EcrServices } from '../upload/ecr.ts';
import { isAligned, type LayerPart, sizeOf } from '../upload/layer-parts.ts';
import {
  type LayerUpload,
  prepareCompletion,
  refuseAhead,
  refusePart,
  refuseSize,
  renoteCompletion,
  takePart,
} from '../upload/layer-upload.ts';
import { type PartSending, seal } from '../upload/seal.ts';
import type { Staging } from '../upload/staging.ts';
import type { Permit } from './authorize.ts';

/** What all calls reach: ECR, the staging area and the key that seals upload ids. */
export type Backend = {
  readonly ecr: EcrServices;
  /** The staging area under a key. */
  readonly staging: (key: string) => Staging;
  readonly readSecret: SecretReader;
};

/** The same for one call. */
export type Upstream = Backend &
  Pick<CallRecord, 'count' | 'warn'> &
  Pick<IncomingCall, 'tellNearlyUsed'> & { readonly abortSignal: AbortSignal };

/** What ECR answers, in its own member names, without the SDK's metadata. */
export type Output = Readonly<Record<string, unknown>>;

/** The repository as the request names it: an alias is ECR's to resolve. */
const named = ({ registryId, members }: Permit<OperationName>) => ({
  registryId: members.registryId ?? registryId,
  repositoryName: members.repositoryName,
});

function directUploadOf(
  permit: Permit<'UploadLayerPart'> | Permit<'CompleteLayerUpload'>,
  upstream: Upstream,
): DirectUpload {
  const { registry, registryId, uploadId } = permit;
  const { repositoryName, uploadId: sealedUploadId } = permit.members;
  return {
    registry,
    registryId,
    repositoryName,
    named: named(permit),
    uploadId,
    sealedUploadId,
    ecr: upstream.ecr[registry],
    abortSignal: upstream.abortSignal,
    count: upstream.count,
    warn: upstream.warn,
  };
}

function layerUploadOf(
  permit: Permit<'UploadLayerPart'> | Permit<'CompleteLayerUpload'>,
  partSize: number,
  upstream: Upstream,
): LayerUpload {
  const upload = directUploadOf(permit, upstream);
  const { registry, registryId, repositoryName, uploadId } = upload;
  const staging = upstream.staging([registry, registryId, repositoryName, uploadId].join('/'));
  return { ...upload, partSize, staging };
}

const partSizeOf = (sending: PartSending): number =>
  sending === 'direct' ? maxEcrPartBytes : sending.pairsOf;

async function initiateLayerUpload(permit: Permit<'InitiateLayerUpload'>, upstream: Upstream) {
  const { principal, registry, registryId, members, sending } = permit;
  const { repositoryName } = members;
  const { uploadId } = await upstream.ecr[registry].InitiateLayerUpload(named(permit), upstream.abortSignal);
  if (!uploadId) {
    throw new ProxyError('ServerException');
  }
  const key = sealsWith(await upstream.readSecret(), new Date());
  return {
    uploadId: seal(key, { uploadId, sending }, { principal, registry, registryId, repositoryName }),
    partSize: partSizeOf(sending),
  };
}

function assertFits({ partLastByte }: LayerPart, maxBytes: number): void {
  if (partLastByte >= maxBytes) {
    throw new ProxyError(
      'LimitExceededException',
      `A layer has ${maxBytes} bytes at most through this proxy. Make it smaller: sending it again will not help.`,
    );
  }
}

async function takeDirect(permit: Permit<'UploadLayerPart'>, upstream: Upstream): Promise<void> {
  const { registry, members, isRepeated } = permit;
  const { length } = members.layerPartBlob;
  if (length > maxEcrPartBytes || length !== sizeOf(members)) {
    const expected = `partFirstByte plus the number of bytes, minus 1, of which a part has ${maxEcrPartBytes} at most`;
    throw invalidMembers([{ member: 'partLastByte', expected }]);
  }
  assertFits(members, maxDirectLayerBytes(registry));
  await permit.countUsage({ abortSignal: upstream.abortSignal });
  await takeDirectPart(directUploadOf(permit, upstream), members, {
    bytes: members.layerPartBlob,
    isRepeated,
  });
}

async function takePaired(
  permit: Permit<'UploadLayerPart'>,
  partSize: number,
  upstream: Upstream,
): Promise<void> {
  const { registry, members } = permit;
  const { layerPartBlob } = members;
  const upload = layerUploadOf(permit, partSize, upstream);
  const { length } = layerPartBlob;
  if (length === 0 || length > partSize || length !== sizeOf(members)) {
    return refuseSize(upload, members, length);
  }
  assertFits(members, maxLayerBytes(registry, partSize));
  if (!isAligned(members, partSize)) {
    return refusePart(upload, members);
  }
  const { abortSignal } = upstream;
  await permit.countUsage({ abortSignal, refuseAhead: () => refuseAhead(upload, members) });
  await takePart(upload, members, layerPartBlob);
}

async function uploadLayerPart(permit: Permit<'UploadLayerPart'>, upstream: Upstream) {
  const { registryId, members, sending } = permit;
  const { repositoryName, uploadId, partLastByte } = members;
  await (sending === 'direct' ? takeDirect(permit, upstream) : takePaired(permit, sending.pairsOf, upstream));
  upstream.count('Bytes', sizeOf(members));
  return { registryId, repositoryName, uploadId, lastByteReceived: partLastByte };
}

/** Those of the digests that are layers of the repository. */
async function findLayers({ ecr, named, abortSignal }: DirectUpload, layerDigests: string[]) {
  const { layers = [] } = await ecr.BatchCheckLayerAvailability({ ...named, layerDigests }, abortSignal);
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
 * What a completion is answered when ECR knows no such upload. ECR forgets an upload when it is complete: if
 * this client was here before with the same digests, only the answer was lost, and the one of them that is a layer is
 * this upload's. With other digests, or where several are layers, no layer is known to be this upload's.
 */
async function completedBefore(upload: DirectUpload, layerDigests: string[], isSame: boolean) {
  const found = await findLayers(upload, [...new Set(layerDigests)]);
  const [layerDigest] = found;
  if (layerDigest === undefined || (isSame && found.length === 1)) {
    return layerDigest;
  }
  throw new ProxyError(
    'LayerAlreadyExistsException',
    `The layer ${layerDigest} is there already. Whether this upload made it is not known: it was finished, or has expired.`,
  );
}

/**
 * Which completion a slot must not name any more after a failure: this one, if ECR has refused it; an earlier one, if
 * nobody knows which of the two it was.
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

/** ECR has all parts. */
async function completeDirectUpload(permit: Permit<'CompleteLayerUpload'>, upstream: Upstream) {
  const upload = directUploadOf(permit, upstream);
  const { registryId, repositoryName, uploadId, ecr, named, abortSignal } = upload;
  const { layerDigests } = permit.members;
  const complete = ecr.CompleteLayerUpload({ ...named, uploadId, layerDigests }, abortSignal);
  const { layerDigest } = await complete.catch(async (error: unknown) => {
    const isForgotten = isNamed(error, 'UploadNotFoundException');
    const isSame = permit.isRepeated || wasRetried(error);
    const found = isForgotten ? await completedBefore(upload, layerDigests, isSame) : undefined;
    if (found) {
      return { layerDigest: found };
    }
    throw error;
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
      { ...upload.named, uploadId: ecrUploadId, layerDigests },
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
    const found = isForgotten ? await completedBefore(upload, layerDigests, isSame) : undefined;
    if (found) {
      return { layerDigest: found };
    }
    throw error;
  });
  return { registryId, repositoryName, uploadId, layerDigest };
}

async function completeLayerUpload(permit: Permit<'CompleteLayerUpload'>, upstream: Upstream) {
  return permit.sending === 'direct'
    ? completeDirectUpload(permit, upstream)
    : completePairedUpload(permit, permit.sending.pairsOf, upstream);
}

async function batchCheckLayerAvailability(
  permit: Permit<'BatchCheckLayerAvailability'>,
  upstream: Upstream,
) {
  const { layers = [], failures = [] } = await upstream.ecr[permit.registry].BatchCheckLayerAvailability(
    { ...permit.members, ...named(permit) },
    upstream.abortSignal,
  );
  return { layers, failures };
}

/** Refuses what is no manifest, or another than its digest says, before ECR is asked. */
function assertManifest(members: Members<'PutImage'>) {
  const { imageDigest } = members;
  const manifest = manifestOf(members);
  if ('fault' in manifest) {
    throw invalidMembers([{ member: 'imageManifest', expected: `an image manifest with ${manifest.fault}` }]);
  }
  if (imageDigest !== undefined && imageDigest !== manifest.digest) {
    throw new ProxyError(
      'ImageDigestDoesNotMatchException',
      `The manifest has the digest ${manifest.digest}, and imageDigest is ${imageDigest}.`,
    );
  }
  return manifest;
}

async function putImage(permit: Permit<'PutImage'>, upstream: Upstream) {
  const { registry, registryId, members } = permit;
  const { repositoryName, imageManifest, imageTag } = members;
  const manifest = assertManifest(members);
  const { abortSignal, tellNearlyUsed } = upstream;
  await permit.countUsage({ abortSignal, tellNearlyUsed });
  const put = upstream.ecr[registry].PutImage({ ...members, ...named(permit) }, abortSignal);
  const { image } = await put.catch((error: unknown) => {
    // Said of a second attempt after a lost answer, ours or the client's, it means that the first has put the image.
    const isSecond = permit.isRepeated || wasRetried(error);
    if (!isNamed(error, 'ImageAlreadyExistsException') || !isSecond) {
      throw error;
    }
    const imageId = { imageDigest: manifest.digest, imageTag };
    const { mediaType: imageManifestMediaType } = manifest.facts;
    return { image: { registryId, repositoryName, imageId, imageManifest, imageManifestMediaType } };
  });
  return { image };
}

/** ECR is asked as the client asks, and answers for itself. @param name of an operation that ECR Public has not */
const passOn =
  <Name extends Exclude<OperationName, OperationOf<'ecr-public'>>>(name: Name) =>
  async ({ registryId, members }: Permit<Name>, { ecr, abortSignal }: Upstream): Promise<Output> => {
    const named = { ...members, registryId: members.registryId ?? registryId };
    const output: object = await ecr.ecr[name](named, abortSignal);
    return { ...output };
  };

const forwarders: {
  readonly [Name in OperationName]: (permit: Permit<Name>, upstream: Upstream) => Promise<Output>;
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

/** @throws ProxyError, or what the SDKs throw; serve finds the row of the error table for either. */
export const forward = <Name extends OperationName>(
  permit: Permit<Name>,
  upstream: Upstream,
): Promise<Output> => forwarders[permit.operation](permit, upstream);

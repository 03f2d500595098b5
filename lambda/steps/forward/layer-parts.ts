// InitiateLayerUpload and UploadLayerPart: an upload begins, and its parts go to the staging area or to ECR.

import { maxEcrPartBytes } from '../../../api/limits.ts';
import { ProxyError } from '../../../api/proxy-error.ts';
import { maxDirectLayerBytes, maxLayerBytes } from '../../../api/registries.ts';
import { sealsWith } from '../../../api/sealing-keys.ts';
import { invalidMembers } from '../../invalid-members.ts';
import { takeDirectPart } from '../../upload/direct-upload.ts';
import { isAligned, type LayerPart, sizeOf } from '../../upload/layer-parts.ts';
import { refuseAhead, refusePart, refuseSize, takePart } from '../../upload/layer-upload.ts';
import { type PartSending, seal } from '../../upload/seal.ts';
import type { Permit } from '../authorize.ts';
import { directUploadOf, layerUploadOf } from './upload-of.ts';
import { repositoryOf, type Upstream } from './upstream.ts';

const partSizeOf = (sending: PartSending): number =>
  sending === 'direct' ? maxEcrPartBytes : sending.pairsOf;

export async function initiateLayerUpload(permit: Permit<'InitiateLayerUpload'>, upstream: Upstream) {
  const { principal, registry, registryId, members, sending } = permit;
  const { repositoryName } = members;
  const { uploadId } = await upstream.ecr[registry].InitiateLayerUpload(
    repositoryOf(permit),
    upstream.abortSignal,
  );
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

export async function uploadLayerPart(permit: Permit<'UploadLayerPart'>, upstream: Upstream) {
  const { registryId, members, sending } = permit;
  const { repositoryName, uploadId, partLastByte } = members;
  await (sending === 'direct' ? takeDirect(permit, upstream) : takePaired(permit, sending.pairsOf, upstream));
  upstream.count('Bytes', sizeOf(members));
  return { registryId, repositoryName, uploadId, lastByteReceived: partLastByte };
}

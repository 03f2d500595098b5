// The upload that a permit is about, as lambda/upload/ sends to it.

import type { DirectUpload } from '../../upload/direct-upload.ts';
import type { LayerUpload } from '../../upload/layer-upload.ts';
import type { Permit } from '../authorize.ts';
import { repositoryOf, type Upstream } from './upstream.ts';

type UploadPermit = Permit<'UploadLayerPart'> | Permit<'CompleteLayerUpload'>;

export function directUploadOf(permit: UploadPermit, upstream: Upstream): DirectUpload {
  const { registry, registryId, uploadId } = permit;
  const { repositoryName, uploadId: sealedUploadId } = permit.members;
  return {
    registry,
    registryId,
    repositoryName,
    repository: repositoryOf(permit),
    uploadId,
    sealedUploadId,
    ecr: upstream.ecr[registry],
    abortSignal: upstream.abortSignal,
    count: upstream.count,
    warn: upstream.warn,
  };
}

export function layerUploadOf(permit: UploadPermit, partSize: number, upstream: Upstream): LayerUpload {
  const upload = directUploadOf(permit, upstream);
  const { registry, registryId, repositoryName, uploadId } = upload;
  const staging = upstream.staging([registry, registryId, repositoryName, uploadId].join('/'));
  return { ...upload, partSize, staging };
}

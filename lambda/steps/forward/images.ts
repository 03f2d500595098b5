// PutImage: the manifest is checked before ECR gets it, and a repeated request gets the same answer.

import { manifestOf } from '../../../api/manifest.ts';
import type { Members } from '../../../api/operations.ts';
import { ProxyError } from '../../../api/proxy-error.ts';
import { invalidMembers } from '../../invalid-members.ts';
import { isNamed, wasRetried } from '../../sdk-failures.ts';
import type { Permit } from '../authorize.ts';
import { repositoryOf, type Upstream } from './upstream.ts';

/** Before ECR is asked. @throws for what is not a manifest, or does not have the digest that the client gave */
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

export async function putImage(permit: Permit<'PutImage'>, upstream: Upstream) {
  const { registry, registryId, members } = permit;
  const { repositoryName, imageManifest, imageTag } = members;
  const manifest = assertManifest(members);
  const { abortSignal, tellNearlyUsed } = upstream;
  await permit.countUsage({ abortSignal, tellNearlyUsed });
  const put = upstream.ecr[registry].PutImage({ ...members, ...repositoryOf(permit) }, abortSignal);
  const { image } = await put.catch((error: unknown) => {
    // After a lost answer, a second attempt (ours or the client's) gets this error when the first has put the image.
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

// Which layers a repository has: BatchCheckLayerAvailability.

import type { z } from 'zod';
import type { availabilityInput } from './inputs.ts';
import type { Repository } from './repository.ts';
import type { Target } from './target.ts';

type AvailabilityInput = z.output<ReturnType<typeof availabilityInput>>;

/** What a layer is called until a manifest names it: ECR always answers a type, which one then is unknown. */
const unnamedMediaType = 'application/vnd.docker.image.rootfs.diff.tar.gzip';

/**
 * A digest that is well formed and absent comes back under `layers` as UNAVAILABLE: AWS's own client goes on to
 * push such a layer and gives up when it finds the digest under `failures`
 * (awslabs/amazon-ecr-containerd-resolver, `ecr/pusher.go`, checkBlobExistence). Of the two failure codes,
 * MissingLayerDigest is taken to mean an empty digest and InvalidLayerDigest one that is no digest (inferred).
 */
export async function batchCheckLayerAvailability(
  { repository }: Target,
  { layerDigests }: AvailabilityInput,
): Promise<object> {
  const isDigest = (digest: string) =>
    /^(?!sha256:)[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+$|^sha256:[a-f0-9]{64}$/.test(digest);
  return {
    layers: layerDigests.filter(isDigest).map((digest) => layer(repository, digest)),
    failures: layerDigests.filter((digest) => !isDigest(digest)).map(failure),
  };
}

function layer({ state }: Repository, layerDigest: string): object {
  const found = state.layers.get(layerDigest);
  if (!found) {
    return { layerDigest, layerAvailability: 'UNAVAILABLE' };
  }
  const { sizeBytes, mediaType = unnamedMediaType } = found;
  return { layerDigest, layerAvailability: 'AVAILABLE', layerSize: sizeBytes, mediaType };
}

const failure = (layerDigest: string): object =>
  layerDigest === ''
    ? { layerDigest, failureCode: 'MissingLayerDigest', failureReason: 'A layer digest is missing' }
    : {
        layerDigest,
        failureCode: 'InvalidLayerDigest',
        failureReason: `'${layerDigest}' is not a layer digest`,
      };

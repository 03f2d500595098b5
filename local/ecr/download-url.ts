// Where a layer can be downloaded: GetDownloadUrlForLayer.

import type { z } from 'zod';
import { EcrError } from './errors.ts';
import type { downloadUrlInput } from './inputs.ts';
import type { Target } from './target.ts';

type DownloadUrlInput = z.output<ReturnType<typeof downloadUrlInput>>;

/**
 * A layer that no image names yet is there and not to be had. Source: API reference, LayerInaccessibleException: "not
 * associated with an image".
 * @throws {EcrError} LayersNotFoundException, LayerInaccessibleException
 */
export async function downloadUrlForLayer(
  { repository, registryId, downloads }: Target,
  { layerDigest }: DownloadUrlInput,
): Promise<object> {
  const { registry, repositoryName, layers } = repository.state;
  const layer = layers.get(layerDigest);
  const place = `in the repository with name '${repositoryName}' in the registry with id '${registryId}'`;
  if (!layer) {
    throw new EcrError(
      'LayersNotFoundException',
      `Layer with digest '${layerDigest}' does not exist ${place}`,
    );
  }
  // The first manifest that names a layer gives it its media type.
  if (layer.mediaType === undefined) {
    throw new EcrError(
      'LayerInaccessibleException',
      `Layer with digest '${layerDigest}' ${place} is not associated with an image`,
    );
  }
  return { downloadUrl: downloads.urlOf({ registry, repositoryName, layerDigest }), layerDigest };
}

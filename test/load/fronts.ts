// The two fronts that a load goes through, each with all requests of one image: its layer, then its manifest.

import { z } from 'zod';
import { partSize } from '../../api/limits.ts';
import { emptyConfiguration, type Layer, manifestMediaType, manifestOf } from './layers.ts';
import { Throttled, type VirtualClient } from './virtual-client.ts';

export type Target = { client: VirtualClient; url: string; repositoryName: string };

export type Front = {
  /** @returns when the layer is acknowledged */
  uploadLayer: (target: Target, layer: Layer) => Promise<void>;
  /** @returns when the image is acknowledged */
  putImage: (target: Target, layer: Layer, tag: string) => Promise<void>;
};

const json = { 'content-type': 'application/json' };
const initiated = z.object({ uploadId: z.string() });

const throughGateway: Front = {
  uploadLayer: async ({ client, url, repositoryName }, { bytes, digest }) => {
    const { body } = await client.send('InitiateLayerUpload', {
      method: 'POST',
      url: `${url}/ecr/layer-uploads`,
      headers: json,
      body: JSON.stringify({ repositoryName }),
    });
    const upload = `${url}/ecr/layer-uploads/${initiated.parse(JSON.parse(body)).uploadId}`;
    for (let first = 0; first < bytes.length; first += partSize) {
      const part = bytes.subarray(first, first + partSize);
      await client.send('UploadLayerPart', {
        method: 'PUT',
        url: `${upload}/parts?repositoryName=${encodeURIComponent(repositoryName)}`,
        headers: {
          'content-type': 'application/octet-stream',
          'content-range': `bytes ${first}-${first + part.length - 1}/*`,
        },
        body: part,
      });
    }
    await client.send('CompleteLayerUpload', {
      method: 'POST',
      url: `${upload}/completion`,
      headers: json,
      body: JSON.stringify({ repositoryName, layerDigests: [digest] }),
    });
  },
  putImage: async ({ client, url, repositoryName }, layer, imageTag) => {
    await client.send('PutImage', {
      method: 'PUT',
      url: `${url}/ecr/images`,
      headers: json,
      body: JSON.stringify({ repositoryName, imageManifest: manifestOf(layer), imageTag }),
    });
  },
};

/** As docker sends a layer: one PATCH in chunks; told to come again, it begins anew. */
const throughRegistryEndpoint: Front = {
  uploadLayer: async ({ client, url, repositoryName }, { bytes, digest }) => {
    for (;;) {
      try {
        const begun = await client.sendOnce('POST of a layer', {
          method: 'POST',
          url: `${url}/v2/${repositoryName}/blobs/uploads/`,
          headers: { 'content-length': '0' },
        });
        const sent = await client.sendOnce('PATCH of a layer', {
          method: 'PATCH',
          url: new URL(begun.location ?? '', url).href,
          headers: { 'content-type': 'application/octet-stream' },
          body: bytes,
          chunked: true,
        });
        const completion = new URL(sent.location ?? '', url);
        completion.searchParams.set('digest', digest);
        await client.sendOnce('PUT of a layer', {
          method: 'PUT',
          url: completion.href,
          headers: { 'content-length': '0' },
        });
        return;
      } catch (error) {
        if (!(error instanceof Throttled)) {
          throw error;
        }
      }
    }
  },
  putImage: async ({ client, url, repositoryName }, layer, tag) => {
    await client.send('PUT of a manifest', {
      method: 'PUT',
      url: `${url}/v2/${repositoryName}/manifests/${tag}`,
      headers: { 'content-type': manifestMediaType },
      body: manifestOf(layer),
    });
  },
};

export const fronts = {
  'gateway and functions': throughGateway,
  'registry endpoint': throughRegistryEndpoint,
} as const satisfies Record<string, Front>;

export type FrontName = keyof typeof fronts;

/** Every image's configuration, once for each repository. */
export const uploadConfiguration = (front: Front, target: Target) =>
  front.uploadLayer(target, emptyConfiguration);

export const isFront = (name: string): name is FrontName => Object.hasOwn(fronts, name);

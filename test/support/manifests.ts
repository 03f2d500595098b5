// Image manifests and indexes for tests to put, of bytes that they have.

import { digestOf } from './random-bytes.ts';

export const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
export const ociIndex = 'application/vnd.oci.image.index.v1+json';
export const dockerManifest = 'application/vnd.docker.distribution.manifest.v2+json';
export const ociLayer = 'application/vnd.oci.image.layer.v1.tar+gzip';

export const descriptor = (bytes: Uint8Array | string, mediaType: string) => ({
  mediaType,
  digest: digestOf(bytes),
  size: Buffer.byteLength(bytes),
});

/** @param more members beside, or instead of, an OCI manifest's */
export const manifestOf = (config: Uint8Array, layers: readonly Uint8Array[], more: object = {}): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: ociManifest,
    config: descriptor(config, 'application/vnd.oci.image.config.v1+json'),
    layers: layers.map((layer) => descriptor(layer, ociLayer)),
    ...more,
  });

export const indexOf = (...manifests: readonly string[]): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: ociIndex,
    manifests: manifests.map((manifest) => descriptor(manifest, ociManifest)),
  });

// What a source holds: images and artifacts, with their blobs, in the order in which they can be pushed.

import type { LayerSource } from '../layer-reader.ts';

export type Blob = { digest: string; size: number; mediaType: string; source: LayerSource };

/** A manifest or an index; `tag` is the one that the source itself gives it. */
export type Manifest = { digest: string; mediaType: string; text: string; subject?: string | undefined };

/** One thing that can be named: an image, an index of several, an artifact. */
export type Root = { digest: string; refName?: string | undefined; subject?: string | undefined };

export type Images = {
  /** Each once. */
  blobs: Blob[];
  /** Each once; those that an index names come before it. */
  manifests: Manifest[];
  roots: Root[];
};

// What a source holds: images and artifacts with their blobs, in an order in which they can be pushed.

import type { LayerSource } from '../layer-reader.ts';

export type Blob = {
  digest: string;
  size: number;
  mediaType: string;
  source: LayerSource;
  /** The file of the source that holds it, for messages. */
  file?: string | undefined;
};

/** A manifest or an index. */
export type Manifest = { digest: string; mediaType: string; text: string; subject?: string | undefined };

/** What a source lists: an image, an index of several, an artifact. It need not hold all that belongs to it. */
export type Root = {
  digest: string;
  /** What the source calls it: a reference such as `docker.io/library/app:1.0`, or the tag alone. */
  refName?: string | undefined;
  /** The tag that the source gives it, in its name or alone. */
  tag?: string | undefined;
  /** `os/architecture[/variant]`, where the source says it next to the digest. */
  platform?: string | undefined;
  subject?: string | undefined;
  /** What cosign says of it: an image, its signatures, its attestations. */
  kind?: string | undefined;
};

/** Manifests, and blobs, that are named and are not among these are not in the source. */
export type Images = {
  /** Each once. */
  blobs: Blob[];
  /** Each once; those that an index names come before it. */
  manifests: Manifest[];
  roots: Root[];
  /** What the source lists that is no image, with its media type. */
  passedOver?: { digest: string; mediaType: string }[];
};

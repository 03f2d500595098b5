// Where what is pushed comes from in its source, for the report.

import type { Contents } from './contents.ts';
import type { Images, Manifest, Root } from './image.ts';
import { isIndexType } from './media-types.ts';

export type Origin = {
  /** What the source calls it. */
  names: string[];
  platform?: string | undefined;
  /** The index that lists it. */
  index?: string | undefined;
  /** What it refers to. */
  subject?: string | undefined;
};

/** By digest. */
export async function originsOf(
  manifests: readonly Manifest[],
  { roots }: Images,
  contents: Contents,
): Promise<Map<string, Origin>> {
  const rootsOf = new Map<string, Root[]>();
  for (const root of roots) {
    rootsOf.set(root.digest, [...(rootsOf.get(root.digest) ?? []), root]);
  }
  const indexOf = new Map<string, string>();
  for (const { digest } of manifests) {
    for (const child of contents.childrenOf(digest)) {
      indexOf.set(child.digest, digest);
    }
  }
  const origins = new Map<string, Origin>();
  for (const { digest, mediaType, subject } of manifests) {
    const own = rootsOf.get(digest) ?? [];
    const said = own.find(({ platform }) => platform !== undefined)?.platform;
    origins.set(digest, {
      names: [...new Set(own.flatMap(({ refName }) => refName ?? []))],
      platform: isIndexType(mediaType) ? undefined : (said ?? (await contents.platformOf(digest))),
      index: indexOf.get(digest),
      subject,
    });
  }
  return origins;
}

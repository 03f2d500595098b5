// What each manifest of a source needs, and what of that the source lacks.

import { z } from 'zod';
import type { LayerSource } from '../layer-reader.ts';
import type { Blob, Images, Manifest } from './image.ts';
import { blobsNamedIn, type Descriptor, type ManifestMembers, manifestMembers } from './manifest-members.ts';
import { isForeignType, isIndexType } from './media-types.ts';
import { isNoPlatform, platformOf } from './platform.ts';
import { SourceProblem } from './source-problem.ts';

/** All that is to be pushed for some manifests, by digest. */
export type Closure = {
  manifests: Set<string>;
  blobs: Set<string>;
  /** What is named and not in the source. */
  missing: Set<string>;
};

/** One image that can be chosen; an index has several. */
type Leaf = { digest: string; platform: string | undefined };

/** A config that is larger is not searched for its platform. */
const maxConfigBytes = 1_048_576;

/** Thousands of indexes may share thousands of images, and each would be looked at for each. */
const maxVisits = 250_000;

const config = z.object({ os: z.unknown(), architecture: z.unknown(), variant: z.unknown() }).partial();

export class Contents {
  readonly #blobs: ReadonlyMap<string, Blob>;
  readonly #manifests: ReadonlyMap<string, Manifest>;
  readonly #members = new Map<string, ManifestMembers>();
  readonly #platforms = new Map<string, string | undefined>();
  readonly #isWhole = new Map<string, boolean>();
  #visits = 0;

  constructor({ blobs, manifests }: Images) {
    this.#blobs = new Map(blobs.map((blob) => [blob.digest, blob]));
    this.#manifests = new Map(manifests.map((manifest) => [manifest.digest, manifest]));
  }

  manifest(digest: string): Manifest | undefined {
    return this.#manifests.get(digest);
  }

  /** The reader of the source has checked its form. */
  members({ digest, text }: Manifest): ManifestMembers {
    const known = this.#members.get(digest) ?? manifestMembers.parse(JSON.parse(text));
    this.#members.set(digest, known);
    return known;
  }

  /** The manifests that one lists; none for an image. */
  childrenOf(digest: string): Descriptor[] {
    const manifest = this.manifest(digest);
    return manifest && isIndexType(manifest.mediaType) ? (this.members(manifest).manifests ?? []) : [];
  }

  /** The blobs that a manifest names and a registry has to hold. */
  blobsOf(manifest: Manifest): Descriptor[] {
    return blobsNamedIn(this.members(manifest)).filter(({ mediaType }) => !isForeignType(mediaType));
  }

  closureOf(digests: Iterable<string>): Closure {
    const closure: Closure = { manifests: new Set(), blobs: new Set(), missing: new Set() };
    const left = [...digests];
    for (let digest = left.pop(); digest !== undefined; digest = left.pop()) {
      if (closure.manifests.has(digest)) {
        continue;
      }
      const manifest = this.manifest(digest);
      if (!manifest) {
        closure.missing.add(digest);
        continue;
      }
      closure.manifests.add(digest);
      for (const blob of this.blobsOf(manifest)) {
        (this.#blobs.has(blob.digest) ? closure.blobs : closure.missing).add(blob.digest);
      }
      for (const child of this.childrenOf(digest)) {
        left.push(child.digest);
      }
    }
    return closure;
  }

  /** All that a manifest names and a registry has to hold: its blobs, or its children. */
  namedBy(digest: string): Descriptor[] {
    const manifest = this.manifest(digest);
    return manifest ? [...this.blobsOf(manifest), ...this.childrenOf(digest)] : [];
  }

  isWhole(digest: string): boolean {
    const known = this.#isWhole.get(digest);
    if (known !== undefined) {
      return known;
    }
    const manifest = this.manifest(digest);
    const isWhole =
      manifest !== undefined &&
      this.blobsOf(manifest).every((blob) => this.#blobs.has(blob.digest)) &&
      this.childrenOf(digest).every((child) => this.isWhole(child.digest));
    this.#isWhole.set(digest, isWhole);
    return isWhole;
  }

  /**
   * The images of an index, also of those in it, without attestations; an image is its own.
   * @param platform what the index says of it, besides its digest
   * @throws SourceProblem when it has been asked for too many
   */
  async leavesOf(digest: string, platform?: string): Promise<Leaf[]> {
    const leaves = new Map<string, Leaf>();
    const visited = new Set<string>();
    const visit = async (one: string, said: string | undefined): Promise<void> => {
      if (visited.has(one)) {
        return;
      }
      visited.add(one);
      this.#visits += 1;
      if (this.#visits > maxVisits) {
        throw new SourceProblem('the indexes of the source list more images than are looked at');
      }
      const manifest = this.manifest(one);
      if (!manifest || !isIndexType(manifest.mediaType)) {
        const its = said ?? (await this.platformOf(one));
        if (!isNoPlatform(its)) {
          leaves.set(one, { digest: one, platform: its });
        }
        return;
      }
      for (const child of this.childrenOf(one)) {
        await visit(child.digest, platformOf(child.platform ?? {}));
      }
    };
    await visit(digest, platform);
    return [...leaves.values()];
  }

  /** What an image's config says; undefined where it does not, or is not read. */
  async platformOf(digest: string): Promise<string | undefined> {
    if (!this.#platforms.has(digest)) {
      this.#platforms.set(digest, await this.#readPlatform(digest));
    }
    return this.#platforms.get(digest);
  }

  async #readPlatform(digest: string): Promise<string | undefined> {
    const manifest = this.manifest(digest);
    const named = manifest && this.members(manifest).config;
    const blob = named ? this.#blobs.get(named.digest) : undefined;
    if (!blob || blob.size > maxConfigBytes) {
      return undefined;
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of bytesOf(blob.source)) {
      chunks.push(chunk);
    }
    try {
      return platformOf(config.parse(JSON.parse(Buffer.concat(chunks).toString())));
    } catch {
      return undefined;
    }
  }
}

const bytesOf = (source: LayerSource): AsyncIterable<Uint8Array> =>
  typeof source === 'function' ? source(0) : source;

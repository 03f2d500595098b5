// Reads the layers of a docker archive: what they are compressed with, and whether they are those of the config.

import { createHash, type Hash } from 'node:crypto';
import { sha256OfHash } from '../../api/digest.ts';
import { shown } from '../printable.ts';
import { type Compression, compressionOf, headBytes, unpacked } from './compression.ts';
import { type Files, nameWithin, type SourceFile } from './files.ts';
import type { Blob } from './image.ts';
import { bytesOf } from './open-file.ts';
import { SourceProblem } from './source-problem.ts';
import { spool } from './spool.ts';
import type { Archive } from './tar-entries.ts';
import { maxUnpackedOf, trusted } from './unpacked-bytes.ts';

type Bytes = AsyncIterable<Uint8Array>;

export type LayerOptions = {
  /** How many bytes the layers that are compressed may have together, instead of the default. */
  maxUnpackedBytes?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Keeps a temporary file for as long as the source is open. */
  keep(archive: Archive): void;
};

/** A layer with the digest of its bytes once unpacked. */
type SavedLayer = { blob: Blob; diffId: string };

const tar = 'application/vnd.oci.image.layer.v1.tar';

export class SavedLayers {
  readonly #files: Files;
  readonly #options: LayerOptions;
  readonly #read = new Map<string, SavedLayer>();
  #compressedBytes = 0;
  #unpackedBytes = 0;

  constructor(files: Files, options: LayerOptions) {
    this.#files = files;
    this.#options = options;
  }

  /**
   * A layer is read once, by however many names it is listed.
   * @param diffId what the config names in this place
   * @throws SourceProblem when it is not there, is damaged, or is another
   */
  async find(name: string, diffId: string): Promise<Blob> {
    const file = await this.#files.find(nameWithin(name));
    if (!file) {
      throw new SourceProblem(`the source names ${shown(name)} and does not hold it`);
    }
    const layer = this.#read.get(file.name) ?? (await this.#readLayer(file));
    this.#read.set(file.name, layer);
    if (layer.diffId !== diffId) {
      throw new SourceProblem(
        `${shown(name)} in the source is damaged or in the wrong place: unpacked it is ${layer.diffId}, and its image's config names ${diffId} there`,
      );
    }
    return layer.blob;
  }

  async #readLayer(file: SourceFile): Promise<SavedLayer> {
    const compression = await compressionOfFile(file);
    const stored = createHash('sha256');
    const bytes = hashed(file.open(0), stored);
    if (compression === undefined) {
      for await (const _ of bytes) {
      }
      const digest = sha256OfHash(stored);
      return { blob: blobOf(file, digest, tar), diffId: digest };
    }
    this.#compressedBytes += file.size;
    const diff = createHash('sha256');
    const content = hashed(this.#unpack(compression, bytes, file.name), diff);
    if (compression === 'gzip' || compression === 'zstd') {
      for await (const _ of content) {
      }
      return {
        blob: blobOf(file, sha256OfHash(stored), `${tar}+${compression}`),
        diffId: sha256OfHash(diff),
      };
    }
    const archive = await this.#spool(content, file);
    const diffId = sha256OfHash(diff);
    return { blob: blobOf(spooledFile(file.name, archive, this.#options.signal), diffId, tar), diffId };
  }

  /** Of all layers together, for a source may have many. */
  async *#unpack(compression: Compression, bytes: Bytes, name: string): AsyncGenerator<Uint8Array> {
    const { maxUnpackedBytes = 0, signal } = this.#options;
    const maxBytes = Math.max(maxUnpackedBytes, maxUnpackedOf(this.#compressedBytes));
    for await (const chunk of unpacked(compression, bytes, `${shown(name)} in the source`)) {
      signal?.throwIfAborted();
      this.#unpackedBytes += chunk.length;
      if (this.#unpackedBytes > maxBytes) {
        throw new SourceProblem(
          `the layers of the source take more than ${maxBytes} bytes unpacked, in ${shown(name)}: ${trusted}`,
        );
      }
      yield chunk;
    }
  }

  /** No media type of OCI's says xz or bzip2: such a layer is sent unpacked. */
  async #spool(content: Bytes, { name }: SourceFile): Promise<Archive> {
    const archive = await spool(content, { ...this.#options, title: `${shown(name)} in the source` });
    this.#options.keep(archive);
    return archive;
  }
}

async function* hashed(bytes: Bytes, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
}

async function compressionOfFile(file: SourceFile): Promise<Compression | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of file.open(0)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= headBytes) {
      break;
    }
  }
  return compressionOf(Buffer.concat(chunks));
}

const spooledFile = (
  name: string,
  { file, size, title }: Archive,
  signal: AbortSignal | undefined,
): SourceFile => ({
  name,
  size,
  open: (fromByte) => bytesOf(file, title, fromByte, size, signal),
});

export const blobOf = ({ name, size, open }: SourceFile, digest: string, mediaType: string): Blob => ({
  digest,
  size,
  mediaType,
  file: name,
  source: open,
});

// How many bytes of manifests are on their way at the same time: of one client and in all.

import type { Bounds } from './bounds.ts';
import { busy } from './oci-errors.ts';

export class ManifestMemory {
  readonly #bounds: Pick<Bounds, 'manifestBytes' | 'manifestBytesPerClient'>;
  readonly #taken = new Map<string, number>();
  #all = 0;

  constructor(bounds: Pick<Bounds, 'manifestBytes' | 'manifestBytesPerClient'>) {
    this.#bounds = bounds;
  }

  /**
   * @returns what gives them back
   * @throws OciError UNAVAILABLE
   */
  take(client: string, bytes: number): () => void {
    const { manifestBytes, manifestBytesPerClient } = this.#bounds;
    const taken = this.#taken.get(client) ?? 0;
    if (taken + bytes > manifestBytesPerClient || this.#all + bytes > manifestBytes) {
      throw busy('as many manifests as fit are on their way here: try again when some have ended');
    }
    this.#count(client, bytes);
    return () => this.#count(client, -bytes);
  }

  #count(client: string, bytes: number): void {
    this.#all += bytes;
    const taken = (this.#taken.get(client) ?? 0) + bytes;
    if (taken === 0) {
      this.#taken.delete(client);
    } else {
      this.#taken.set(client, taken);
    }
  }
}

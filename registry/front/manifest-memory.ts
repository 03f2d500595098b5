// How many bytes of manifests are on their way at the same time: of one client and in all.

import type { Bounds } from './bounds.ts';
import { busy } from './oci-errors.ts';
import { Taken } from './taken.ts';

export class ManifestMemory {
  readonly #bounds: Pick<Bounds, 'manifestBytes' | 'manifestBytesPerClient'>;
  readonly #taken = new Taken();

  constructor(bounds: Pick<Bounds, 'manifestBytes' | 'manifestBytesPerClient'>) {
    this.#bounds = bounds;
  }

  /**
   * @returns what gives them back
   * @throws OciError UNAVAILABLE
   */
  take(client: string, bytes: number): () => void {
    const { manifestBytes, manifestBytesPerClient } = this.#bounds;
    const taken = this.#taken;
    if (taken.by(client) + bytes > manifestBytesPerClient || taken.all + bytes > manifestBytes) {
      throw busy('as many manifests as fit are on their way here: try again when some have ended');
    }
    taken.add(client, bytes);
    return () => taken.add(client, -bytes);
  }
}

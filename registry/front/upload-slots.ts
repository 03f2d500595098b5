// How many requests bring bytes at the same time: of one client and in all.

import { PortError } from '../port.ts';
import type { Bounds } from './bounds.ts';
import { busy } from './oci-errors.ts';
import { Taken } from './taken.ts';

export class UploadSlots {
  readonly #bounds: Pick<Bounds, 'uploads' | 'uploadsPerClient'>;
  readonly #taken = new Taken();

  constructor(bounds: Pick<Bounds, 'uploads' | 'uploadsPerClient'>) {
    this.#bounds = bounds;
  }

  /** How many are taken. */
  get size(): number {
    return this.#taken.all;
  }

  /** @throws OciError UNAVAILABLE */
  assertFree(client: string): void {
    const { uploads, uploadsPerClient } = this.#bounds;
    if (this.#taken.all >= uploads) {
      throw busy(`${uploads} uploads are under way here: try again when some have ended`);
    }
    if (this.#taken.by(client) >= uploadsPerClient) {
      throw busy(`${uploadsPerClient} uploads of this client are under way: try again when some have ended`);
    }
  }

  /**
   * Counted before anything is waited for, and until the work is over, also where it goes on after its answer.
   * @throws OciError UNAVAILABLE
   */
  async hold<Value>(client: string, work: () => Promise<Value>): Promise<Value> {
    this.assertFree(client);
    this.#taken.add(client, 1);
    const release = () => this.#taken.add(client, -1);
    try {
      const value = await work();
      release();
      return value;
    } catch (error) {
      const goesOn = error instanceof PortError ? error.goesOn : undefined;
      if (goesOn) {
        void goesOn.then(release);
      } else {
        release();
      }
      throw error;
    }
  }
}

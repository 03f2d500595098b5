// How many requests bring bytes at the same time: of one client and in all.

import { PortError } from '../port.ts';
import type { Bounds } from './bounds.ts';
import { busy } from './oci-errors.ts';

export class UploadSlots {
  readonly #bounds: Pick<Bounds, 'uploads' | 'uploadsPerClient'>;
  readonly #taken = new Map<string, number>();
  #all = 0;

  constructor(bounds: Pick<Bounds, 'uploads' | 'uploadsPerClient'>) {
    this.#bounds = bounds;
  }

  /** How many are taken. */
  get size(): number {
    return this.#all;
  }

  /** @throws OciError UNAVAILABLE */
  assertFree(client: string): void {
    const { uploads, uploadsPerClient } = this.#bounds;
    if (this.#all >= uploads) {
      throw busy(`${uploads} uploads are under way here: try again when some have ended`);
    }
    if ((this.#taken.get(client) ?? 0) >= uploadsPerClient) {
      throw busy(`${uploadsPerClient} uploads of this client are under way: try again when some have ended`);
    }
  }

  /**
   * Counted before anything is waited for, and until the work is over, also where it goes on after its answer.
   * @throws OciError UNAVAILABLE
   */
  async hold<Value>(client: string, work: () => Promise<Value>): Promise<Value> {
    this.assertFree(client);
    this.#count(client, 1);
    const release = () => this.#count(client, -1);
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

  #count(client: string, change: 1 | -1): void {
    this.#all += change;
    const taken = (this.#taken.get(client) ?? 0) + change;
    if (taken === 0) {
      this.#taken.delete(client);
    } else {
      this.#taken.set(client, taken);
    }
  }
}

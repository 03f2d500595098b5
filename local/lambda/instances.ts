// The instances of all functions: one for each event under way, and idle ones as long as there is room for them.

import { Instance } from './instance.ts';
import type { InstanceData } from './worker.ts';

export type InstanceStart = { data: InstanceData; environment: Readonly<Record<string, string>> };

export class Instances {
  readonly #max: number;
  readonly #log: (line: string) => void;
  readonly #all = new Set<Instance>();
  /** The longest idle first. */
  #idle: readonly Instance[] = [];

  /**
   * @param max how many there are at most, unless more are at work
   * @param log takes why one has ended that was idle
   */
  constructor(max: number, log: (line: string) => void) {
    this.#max = max;
    this.#log = log;
  }

  /** An idle one of this function, the last that was at work; without one, a new one. */
  take({ data, environment }: InstanceStart): Instance {
    const idle = this.#idle.findLast(({ functionName }) => functionName === data.context.functionName);
    if (idle) {
      this.#idle = this.#idle.filter((other) => other !== idle);
      return idle;
    }
    this.#makeRoom();
    const instance: Instance = new Instance(data, environment, (reason) => {
      if (this.#idle.includes(instance)) {
        this.#log(`${instance.functionName}: ${reason}`);
      }
      this.#forget(instance);
    });
    this.#all.add(instance);
    return instance;
  }

  giveBack(instance: Instance): void {
    if (!instance.hasEnded) {
      this.#idle = [...this.#idle, instance];
    }
  }

  async close(): Promise<void> {
    this.#idle = [];
    await Promise.all([...this.#all].map((instance) => instance.end()));
  }

  #makeRoom(): void {
    const [longestIdle] = this.#idle;
    if (longestIdle && this.#all.size >= this.#max) {
      this.#forget(longestIdle);
      void longestIdle.end();
    }
  }

  #forget(instance: Instance): void {
    this.#all.delete(instance);
    this.#idle = this.#idle.filter((other) => other !== instance);
  }
}

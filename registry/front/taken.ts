// How much of something is taken at the same time: by one client and in all.

export class Taken {
  readonly #byClient = new Map<string, number>();
  #all = 0;

  get all(): number {
    return this.#all;
  }

  by(client: string): number {
    return this.#byClient.get(client) ?? 0;
  }

  /** @param amount negative where it is given back; a client who has nothing more is forgotten */
  add(client: string, amount: number): void {
    this.#all += amount;
    const taken = this.by(client) + amount;
    if (taken === 0) {
      this.#byClient.delete(client);
    } else {
      this.#byClient.set(client, taken);
    }
  }
}

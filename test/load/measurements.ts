// What the clients of a load measure: answers by kind of request and status, how long they took, and what failed.

/** The answers that ask for the same request once more: 429, and 503 with its `Retry-After`. */
const throttlingStatuses: ReadonlySet<number> = new Set([429, 503]);

export const isThrottle = (status: number): boolean => throttlingStatuses.has(status);

export class Measurements {
  readonly #answeredMs = new Map<string, number[]>();
  readonly #throttles = new Map<string, number>();
  readonly #errors = new Map<string, number>();

  /** One answer to a request of this kind; `code` is the error's name. */
  add(kind: string, status: number, code: string, tookMs: number): void {
    if (status < 300) {
      const answered = this.#answeredMs.get(kind) ?? [];
      answered.push(tookMs);
      this.#answeredMs.set(kind, answered);
    } else {
      count(isThrottle(status) ? this.#throttles : this.#errors, `${kind}: ${status} ${code}`);
    }
  }

  addFailure(kind: string, error: unknown): void {
    count(this.#errors, `${kind}: ${error instanceof Error ? error.message : error}`);
  }

  get throttles(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#throttles);
  }

  /** Whatever is neither a success nor a throttle. */
  get errors(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#errors);
  }

  /** By kind of request, of its successful answers. */
  get answers(): readonly { kind: string; count: number; p50Ms: number; p99Ms: number }[] {
    return [...this.#answeredMs].map(([kind, values]) => {
      const sorted = values.toSorted((a, b) => a - b);
      return { kind, count: sorted.length, p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99) };
    });
  }
}

const count = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);

const quantile = (sorted: readonly number[], share: number): number =>
  Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);

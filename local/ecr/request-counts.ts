// How often each operation was called, for tests that assert what was and what was not asked of ECR.

import type { Call } from './registries.ts';

export class RequestCounts {
  #counts = new Map<string, number>();

  /** Counts a call by its IAM action (`ecr:PutImage`), or as `unknown`; refused calls count as well. */
  add(call: Call | undefined): void {
    const key = call ? `${call.registry}:${call.operation}` : 'unknown';
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  get all(): { total: number; operations: Record<string, number> } {
    const total = [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
    return { total, operations: Object.fromEntries(this.#counts) };
  }

  reset(): void {
    this.#counts.clear();
  }
}

// Explores every order of events by running the same code again and again: depth first, each run after a prefix of choices.

import { hash } from 'node:crypto';

/**
 * Takes the index of the event that happens next.
 * @param stateOf describes all that decides what can follow; orders that come to one state are the same from there on
 */
export type Choose = (options: readonly unknown[], stateOf: () => string) => number;

/** A run that is given up: it has come to a state from which everything was tried. */
export class KnownState extends Error {
  override readonly name = 'KnownState';
}

/** `orders`: how many there are from here on, of the choices that were tried. */
type Node = { readonly options: number; readonly key: string; chosen: number; orders: bigint };

export type Explored = {
  /** Runs to the end. */
  schedules: number;
  /** Runs that were given up at a known state. */
  merged: number;
  /** The orders that these stand for, each of them to its end. */
  orders: bigint;
  states: number;
  /** Whether there is none left. */
  isWhole: boolean;
};

/** The number of a schedule: its choices, each a digit to the base of how many there were. */
const numberOf = (path: readonly Node[]): bigint =>
  path.reduceRight((number, { options, chosen }) => number * BigInt(options) + BigInt(chosen), 0n);

/** Makes the choices of a schedule by its number. */
export function replay(number: bigint): Choose {
  let rest = number;
  return (options) => {
    const base = BigInt(options.length);
    const chosen = Number(rest % base);
    rest /= base;
    return chosen;
  };
}

export type ExploreOptions = {
  /** How many runs. */
  readonly atMost: number;
  /** Whether a run is given up at a state that is known; without it each order is run to its end. */
  readonly merges?: boolean | undefined;
  readonly endsAtFailure?: boolean | undefined;
};

/**
 * @param run makes the same choices of the same options whenever it is chosen alike
 * @param failed is told of a schedule that breaks what has to hold
 */
export async function explore(
  run: (choose: Choose) => Promise<void>,
  {
    atMost,
    merges = true,
    endsAtFailure = false,
    failed,
  }: ExploreOptions & { failed: (number: bigint, error: unknown) => void },
): Promise<Explored> {
  const path: Node[] = [];
  /** By state, how many orders there are from there on. */
  const known = new Map<string, bigint>();
  const explored: Explored = { schedules: 0, merged: 0, orders: 0n, states: 0, isWhole: false };

  let isOver = false;
  for (let runs = 0; runs < atMost && !explored.isWhole && !isOver; runs++) {
    let depth = 0;
    let orders = 1n;
    const choose: Choose = (options, stateOf) => {
      if (depth === path.length) {
        const key = merges ? hash('sha1', stateOf(), 'base64') : '';
        const after = known.get(key);
        if (after !== undefined) {
          orders = after;
          throw new KnownState();
        }
        path.push({ options: options.length, key, chosen: 0, orders: 0n });
      }
      const node = path[depth];
      if (node?.options !== options.length) {
        throw new Error('the run is not the same when it is chosen alike');
      }
      depth += 1;
      return node.chosen;
    };
    try {
      await run(choose);
      explored.schedules += 1;
    } catch (error) {
      if (error instanceof KnownState) {
        explored.merged += 1;
      } else {
        explored.schedules += 1;
        failed(numberOf(path.slice(0, depth)), error);
        isOver = endsAtFailure;
      }
    }
    explored.orders += orders;
    explored.isWhole = !goOn(path, orders, known);
  }
  return { ...explored, states: known.size + path.length };
}

/** To the next choice that is left, the last one first. */
function goOn(path: Node[], orders: bigint, known: Map<string, bigint>): boolean {
  let after = orders;
  for (let node = path.at(-1); node; node = path.at(-1)) {
    node.orders += after;
    node.chosen += 1;
    if (node.chosen < node.options) {
      return true;
    }
    after = node.orders;
    if (node.key) {
      known.set(node.key, after);
    }
    path.pop();
  }
  return false;
}

// Explores every order of events by running the same code again and again: depth first, each run after a prefix of choices.

/** What an event reads or writes, by a name of its own: two that write one thing do not commute. */
export type Touch = { readonly key: string; readonly writes: boolean };

/** An event that can happen next. Its id is the same in every run that has come the same way. */
export type Option = {
  readonly id: string;
  readonly actor: number;
  readonly touches: readonly Touch[];
};

/** Takes the index of the event that happens next. */
export type Choose = (options: readonly Option[]) => number;

/** Whether the two can change places without any difference: neither is the same request's, nor do they meet anywhere. */
const commutes = (one: Option, other: Option): boolean =>
  one.actor !== other.actor &&
  !one.touches.some((touch) =>
    other.touches.some(({ key, writes }) => key === touch.key && (writes || touch.writes)),
  );

/** A run that is given up: each order that begins like it differs from one that was tried by commuting events only. */
export class RedundantRun extends Error {
  override readonly name = 'RedundantRun';
}

/** `asleep` are events whose orders from here on were tried before this point was reached. */
type Node = {
  readonly options: readonly Option[];
  readonly asleep: readonly Option[];
  readonly tried: Option[];
  chosen: number;
};

export type Explored = {
  schedules: number;
  /** Runs that were given up, of commuting events. */
  redundant: number;
  /** Whether there is none left. */
  isWhole: boolean;
};

const includes = (options: readonly Option[], { id }: Option) => options.some((one) => one.id === id);

const awake = ({ options, asleep, tried }: Node): number =>
  options.findIndex((option) => !includes(asleep, option) && !includes(tried, option));

/** The number of a schedule: its choices, each a digit to the base of how many there were. */
const numberOf = (path: readonly { options: readonly Option[]; chosen: number }[]): bigint =>
  path.reduceRight((number, { options, chosen }) => number * BigInt(options.length) + BigInt(chosen), 0n);

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

/**
 * @param run makes the same choices of the same options whenever it is chosen alike
 * @param reduced whether of orders that differ by commuting events one is enough
 * @param failed is told of a schedule that breaks what has to hold; it ends the exploration by throwing
 */
export async function explore(
  run: (choose: Choose) => Promise<void>,
  {
    reduced,
    atMost,
    failed,
  }: { reduced: boolean; atMost: number; failed: (number: bigint, error: unknown) => void },
): Promise<Explored> {
  const path: Node[] = [];
  const explored: Explored = { schedules: 0, redundant: 0, isWhole: false };
  while (explored.schedules < atMost) {
    let depth = 0;
    const choose: Choose = (options) => {
      const before = path[depth - 1];
      const node: Node = path[depth] ?? {
        options,
        asleep: asleepAfter(before, reduced),
        tried: [],
        chosen: 0,
      };
      if (node.options.length !== options.length) {
        throw new Error('the run is not the same when it is chosen alike');
      }
      if (depth === path.length) {
        node.chosen = awake(node);
        if (node.chosen < 0) {
          throw new RedundantRun();
        }
        path.push(node);
      }
      depth += 1;
      return node.chosen;
    };
    try {
      await run(choose);
      explored.schedules += 1;
    } catch (error) {
      if (error instanceof RedundantRun) {
        explored.redundant += 1;
      } else {
        explored.schedules += 1;
        failed(numberOf(path.slice(0, depth)), error);
      }
    }
    if (!goOn(path)) {
      return { ...explored, isWhole: true };
    }
  }
  return explored;
}

function asleepAfter(before: Node | undefined, reduced: boolean): Option[] {
  const taken = before?.options[before.chosen];
  return reduced && before && taken
    ? [...before.asleep, ...before.tried].filter((option) => commutes(option, taken))
    : [];
}

/** To the next choice that is left, the last one first. */
function goOn(path: Node[]): boolean {
  for (let node = path.at(-1); node; node = path.at(-1)) {
    const taken = node.options[node.chosen];
    if (taken) {
      node.tried.push(taken);
    }
    node.chosen = awake(node);
    if (node.chosen >= 0) {
      return true;
    }
    path.pop();
  }
  return false;
}

// How long a fuzzer runs and from which seed: FUZZ_SCALE multiplies its runs, SEED repeats one.

import type { Parameters } from 'fast-check';

const scale = Number(process.env.FUZZ_SCALE ?? 1);
const seed = process.env.SEED === undefined ? {} : { seed: Number(process.env.SEED) };

/** How often a fuzzer tries, where `times` is what suits a run of a few minutes in CI. */
export const scaled = (times: number): number => Math.ceil(times * scale);

/** For `fc.assert`, which names the seed of a failure. */
export const fuzzed = (times: number): Pick<Parameters<unknown>, 'numRuns' | 'seed'> => ({
  numRuns: scaled(times),
  ...seed,
});

// Explores races one after the other; the number of a schedule says which race it is of, and all of its choices.

import { type Choose, type Explored, type ExploreOptions, explore, replay } from './explorer.ts';
import type { PlantedInServices } from './services-in-memory.ts';

export type Failure = { readonly schedule: string; readonly error: unknown };

/** How many failures are kept of one race: they are alike. */
const maxFailures = 3;

/**
 * @param mark before the numbers of these schedules, which tells them from those of other races
 * @param race runs a scenario once. It throws what does not hold
 */
export function explorationOf<Scenario extends { readonly name: string }, Planted extends PlantedInServices>(
  mark: string,
  scenarios: readonly Scenario[],
  race: (scenario: Scenario, choose: Choose, planted?: Planted) => Promise<void>,
) {
  const base = BigInt(scenarios.length);

  return {
    exploreRace: async (
      scenario: Scenario,
      { planted, ...options }: ExploreOptions & { readonly planted?: Planted },
    ): Promise<Explored & { failures: readonly Failure[] }> => {
      const failures: Failure[] = [];
      const explored = await explore((choose) => race(scenario, choose, planted), {
        ...options,
        failed: (number, error) => {
          if (failures.length < maxFailures) {
            const schedule = `${mark}${number * base + BigInt(scenarios.indexOf(scenario))}`;
            failures.push({ schedule, error });
          }
        },
      });
      return { ...explored, failures };
    },

    /** Runs one schedule again. @throws what it broke */
    replaySchedule: async (schedule: string, planted?: Planted): Promise<void> => {
      const number = BigInt(schedule.slice(mark.length));
      const scenario = scenarios[Number(number % base)];
      if (scenario) {
        await race(scenario, replay(number / base), planted);
      }
    },

    /** Whether a schedule is of these races. */
    isOf: (schedule: string): boolean =>
      schedule.startsWith(mark) && /^\d+$/.test(schedule.slice(mark.length)),

    scenarioOf: (name: string): Scenario => {
      const found = scenarios.find((scenario) => scenario.name === name);
      if (!found) {
        throw new Error(`there is no race ${name}`);
      }
      return found;
    },
  };
}

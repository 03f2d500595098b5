// Explores the races one after the other; the number of a schedule says which race it is of, and all of its choices.

import { type Explored, explore, replay } from './explorer.ts';
import { scenarios } from './scenarios.ts';
import { type Planted, race, type Scenario } from './upload-race.ts';

export type Failure = { readonly schedule: string; readonly error: unknown };

const base = BigInt(scenarios.length);

/** How many failures are kept of one race: they are alike. */
const maxFailures = 3;

export async function exploreRace(
  scenario: Scenario,
  { atMost, merges, planted }: { atMost: number; merges?: boolean; planted?: Planted },
): Promise<Explored & { failures: readonly Failure[] }> {
  const failures: Failure[] = [];
  const explored = await explore((choose) => race(scenario, choose, planted), {
    atMost,
    ...(merges !== undefined && { merges }),
    failed: (number, error) => {
      if (failures.length < maxFailures) {
        const schedule = String(number * base + BigInt(scenarios.indexOf(scenario)));
        failures.push({ schedule, error });
      }
    },
  });
  return { ...explored, failures };
}

/** Runs one schedule again. @throws what it broke */
export async function replaySchedule(schedule: string, planted: Planted = {}): Promise<void> {
  const number = BigInt(schedule);
  const scenario = scenarios[Number(number % base)];
  if (scenario) {
    await race(scenario, replay(number / base), planted);
  }
}

export function scenarioOf(name: string): Scenario {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (!found) {
    throw new Error(`there is no race ${name}`);
  }
  return found;
}

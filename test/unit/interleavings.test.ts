// A bounded part of what npm run test:interleavings explores, and bugs that are planted to see that it finds them.

import { describe, expect, it, vi } from 'vitest';
import { scenarios } from '../interleavings/scenarios.ts';
import { uploadExploration } from '../interleavings/upload-exploration.ts';
import type { Planted } from '../interleavings/upload-race.ts';

const { exploreRace, replaySchedule, scenarioOf } = uploadExploration;

const { seals } = vi.hoisted(() => ({ seals: { areChecked: true } }));
vi.mock('../../lambda/upload/seal.ts', async (original) => {
  const { openSeal, ...seal } = await original<typeof import('../../lambda/upload/seal.ts')>();
  const owner = { type: 'Client', id: 'owner' } as const;
  const opened: typeof openSeal = (keys, id, binding) =>
    openSeal(keys, id, seals.areChecked ? binding : { ...binding, principal: owner });
  return { ...seal, openSeal: opened };
});

const runsOfEach = 60;

it.each(scenarios)('no order of events breaks an upload: $name', async (scenario) => {
  const { failures } = await exploreRace(scenario, { atMost: runsOfEach });
  expect(failures).toEqual([]);
});

it('no order of two completions names another upload’s layer', async () => {
  const name = 'a completion with a layer of another upload’s, and its own completion before and after it';
  const { failures, isWhole } = await exploreRace(scenarioOf(name), { atMost: 3_000 });
  expect(failures).toEqual([]);
  expect(isWhole).toBe(true);
});

describe('a planted bug is found, and found again by the number of its schedule', () => {
  const lateWrite = 'the second of a pair, and again with the part after it';
  const bugs: [string, string, Planted, string][] = [
    ['no If-Match', lateWrite, { withoutConditions: true }, 'part 2 was acknowledged and is gone'],
    [
      'a mark that is set before its count',
      'a part, counted, and a fault',
      { markBeforeCount: true },
      'bytes were forwarded that were not counted',
    ],
  ];

  it.each(bugs)('%s', async (_bug, name, planted, message) => {
    const { failures } = await exploreRace(scenarioOf(name), { atMost: 1_000, endsAtFailure: true, planted });
    const [first] = failures;
    expect(first?.error).toMatchObject({ message });
    await expect(replaySchedule(first?.schedule ?? '', planted)).rejects.toThrow(message);
    await replaySchedule(first?.schedule ?? '');
  });

  it('a seal that is not checked', async () => {
    seals.areChecked = false;
    try {
      const { failures } = await exploreRace(scenarioOf('a stranger with the upload’s id'), {
        atMost: 1_000,
        endsAtFailure: true,
      });
      expect(failures[0]?.error).toMatchObject({ message: 'a stranger has sent a part' });
    } finally {
      seals.areChecked = true;
    }
  });
});

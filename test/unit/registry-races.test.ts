// A bounded part of the races and the random programs of the registry endpoint, and bugs of its own that both have to find.

import { afterEach, describe, expect, it, vi } from 'vitest';
import '../support/no-pauses.ts';
import '../support/small-parts.ts';
import { blobExploration } from '../interleavings/blob-exploration.ts';
import { blobScenarios } from '../interleavings/blob-scenarios.ts';
import { planted } from '../interleavings/hosted-bugs.ts';
import type { PlantedInServices } from '../interleavings/services-in-memory.ts';
import { sessionPrograms } from '../programs/commands.ts';
import { runPrograms } from '../programs/run.ts';

const { bugs } = vi.hoisted(() => ({ bugs: () => import('../interleavings/hosted-bugs.ts') }));
vi.mock('../../registry/hosted/part-sender.ts', async (original) =>
  (await bugs()).partSenderOf(await original()),
);
vi.mock('../../registry/hosted/part-buffers.ts', async (original) =>
  (await bugs()).partBuffersOf(await original()),
);
vi.mock('../../registry/hosted/upload-place.ts', async (original) =>
  (await bugs()).uploadPlaceOf(await original()),
);
vi.mock('../../registry/hosted/part-cutter.ts', async (original) =>
  (await bugs()).partCutterOf(await original()),
);
vi.mock('../../policy/policies.ts', async (original) => (await bugs()).policiesOf(await original()));
vi.mock('../../lambda/upload/seal.ts', async (original) => (await bugs()).sealOf(await original()));

afterEach(() => {
  planted.bug = undefined;
});

const runsOfEach = 25;

it.each(blobScenarios)('no order of events breaks a push: $name', async (scenario) => {
  const { failures } = await blobExploration.exploreRace(scenario, { atMost: runsOfEach });
  expect(failures).toEqual([]);
});

it('random programs against the registry endpoint keep what was acknowledged', async () => {
  await runPrograms(sessionPrograms, { programs: 100 });
});

describe('a planted bug', () => {
  type Plant = {
    /** Of a bug of a service's, and not of the endpoint's own code. */
    readonly inServices?: PlantedInServices;
    /** The race that finds it, and what it says. */
    readonly race: string;
    readonly broken: RegExp;
    /** What a program says that finds it. */
    readonly message: RegExp;
  };
  const plants: [string, Plant][] = [
    [
      'bytes are acknowledged before ECR has them',
      {
        race: 'PATCH at one offset twice',
        broken: /bytes were acknowledged, and \d+ are there/,
        message: /bytes were acknowledged, and \d+ are there/,
      },
    ],
    [
      'memory is used again while its bytes are on their way',
      {
        race: 'PATCH of two parts twice in one process, and a fault',
        broken: /was not sent there/,
        message: /are not the first ones of any layer/,
      },
    ],
    [
      'a Location is believed, whatever ECR says',
      {
        race: 'PATCH and DELETE, and a fault',
        broken: /the client does not come to an end/,
        message: /the client does not come to an end/,
      },
    ],
    [
      'the seal of a Location is not checked',
      {
        race: 'a stranger with the Location, and a fault',
        broken: /a stranger is served/,
        message: /a stranger does/,
      },
    ],
    [
      'the last two parts change places',
      {
        race: 'PATCH at one offset, of two parts, and of fewer bytes than a part, and a fault',
        broken: /was not sent there/,
        message: /are not the first ones of any layer/,
      },
    ],
    [
      'a mark that is set before its count',
      {
        inServices: { markBeforeCount: true },
        race: 'PATCH twice, counted, and a fault',
        broken: /bytes were taken that were not counted/,
        message: /bytes were taken that were not counted/,
      },
    ],
  ];

  it.each(plants)('is found by a race: %s', async (name, { inServices = {}, race, broken }) => {
    planted.bug = name;
    const scenario = blobExploration.scenarioOf(race);
    const { failures } = await blobExploration.exploreRace(scenario, {
      atMost: 300,
      endsAtFailure: true,
      planted: inServices,
    });
    const [first] = failures;
    expect(String(first?.error)).toMatch(broken);
    await expect(blobExploration.replaySchedule(first?.schedule ?? '', inServices)).rejects.toThrow(broken);
    planted.bug = undefined;
    await blobExploration.replaySchedule(first?.schedule ?? '');
  });

  it('is found by a program: the policy is not asked', async () => {
    planted.bug = 'the policy is not asked';
    const options = { programs: 400, seed: 1, shrinks: false };
    const found = await runPrograms(sessionPrograms, options).catch((error: unknown) => String(error));
    expect(found).toMatch(/a request that the policy denies has come to/);
  });

  it.each(plants)('is found by a program: %s', async (name, { inServices = {}, message }) => {
    planted.bug = name;
    const options = { programs: 400, seed: 1, shrinks: false, planted: inServices };
    const found = await runPrograms(sessionPrograms, options).catch((error: unknown) => String(error));
    expect(found).toMatch(message);
  });
});

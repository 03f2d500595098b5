// A bounded part of the random programs of the functions, and bugs that are planted to see that programs find them.

import { describe, expect, it, vi } from 'vitest';
import '../support/small-parts.ts';
import type { PlantedInServices } from '../interleavings/services-in-memory.ts';
import { functionPrograms, partPrograms } from '../programs/commands.ts';
import { type Replay, runPrograms } from '../programs/run.ts';

const { planted, none } = vi.hoisted(() => {
  const none = { sealUnchecked: false, completionForgets: false, policyUnasked: false };
  return { planted: { ...none }, none };
});

vi.mock('../../policy/policies.ts', async (original) => {
  const { openPolicies, ...policies } = await original<typeof import('../../policy/policies.ts')>();
  const allowed = { allowed: true, policies: [], errors: [] };
  const opened: typeof openPolicies = (...given) => {
    const { decide } = openPolicies(...given);
    return { decide: (request) => (planted.policyUnasked ? allowed : decide(request)) };
  };
  return { ...policies, openPolicies: opened };
});

vi.mock('../../lambda/upload/seal.ts', async (original) => {
  const { openSeal, ...seal } = await original<typeof import('../../lambda/upload/seal.ts')>();
  const unchecked: typeof openSeal = (_keys, id) => ({ uploadId: id.slice(0, 36), sending: { pairsOf: 4 } });
  const opened: typeof openSeal = (...given) => (planted.sealUnchecked ? unchecked : openSeal)(...given);
  return { ...seal, openSeal: opened };
});

vi.mock('../../lambda/upload/layer-upload.ts', async (original) => {
  const { prepareCompletion, ...upload } =
    await original<typeof import('../../lambda/upload/layer-upload.ts')>();
  const prepared: typeof prepareCompletion = async (...given) =>
    planted.completionForgets ? undefined : prepareCompletion(...given);
  return { ...upload, prepareCompletion: prepared };
});

it('random programs against the functions keep what was acknowledged', async () => {
  await runPrograms(functionPrograms, { programs: 80 });
});

describe('a planted bug is found, and the program that finds it is made small', () => {
  type Bug = {
    readonly inFunctions?: Partial<typeof planted>;
    readonly inServices?: PlantedInServices;
    readonly message: RegExp;
    /** Of a bug that takes some hundred programs: the small one that a search has come to. */
    readonly replay?: Replay;
  };
  const bugs: [string, Bug][] = [
    [
      'no If-Match',
      {
        inServices: { withoutConditions: true },
        message: /12 bytes of .* acknowledged, and 8/,
        // After a change of what programs are made of it has to be searched anew: the same without a replay.
        replay: {
          seed: 1,
          path: '233:4:13:13:11:11:11:11:11:11:11:11:11:11:11:11:11:12:12:12:12:12:12:12:12:12:12:12:12:17:13:13:14:13:14:14:14',
          replayPath: 'IC///a:9',
        },
      },
    ],
    [
      'a mark that is set before its count',
      { inServices: { markBeforeCount: true }, message: /bytes were taken that were not counted/ },
    ],
    [
      'a completion that forgets the part that waits',
      { inFunctions: { completionForgets: true }, message: /the client cannot go on/ },
    ],
    [
      'a policy that is not asked',
      { inFunctions: { policyUnasked: true }, message: /a request that the policy denies has come to/ },
    ],
    [
      'a seal that is not checked',
      {
        inFunctions: { sealUnchecked: true },
        message: /succeeds, and must not|that were not sent|was not sent/,
      },
    ],
  ];

  /** All others are found soonest where parts are all that is sent. */
  const isOfWhoSends = (name: string) => /seal|policy/.test(name);

  it.each(bugs)('%s', async (name, { inFunctions = {}, inServices = {}, message, replay }) => {
    Object.assign(planted, none, inFunctions);
    const kind = isOfWhoSends(name) ? functionPrograms : partPrograms;
    try {
      const found = await runPrograms(kind, { programs: 400, seed: 1, replay, planted: inServices }).catch(
        (error: unknown) => String(error),
      );
      expect(found).toMatch(message);
      expect(String(found).match(/"ask":/g)?.length).toBeLessThan(12);
    } finally {
      Object.assign(planted, none);
    }
  });
});

// A bounded part of what npm run test:programs runs, and bugs that are planted to see that programs find them.

import { describe, expect, it, vi } from 'vitest';
import type { PlantedInServices } from '../interleavings/services-in-memory.ts';
import { functionPrograms, partPrograms } from '../programs/commands.ts';
import { runPrograms } from '../programs/run.ts';

vi.mock('../../api/limits.ts', async (original) => ({
  ...(await original<typeof import('../../api/limits.ts')>()),
  partSize: 4,
  minEcrPartBytes: 5,
  maxEcrPartBytes: 10,
}));

const { planted } = vi.hoisted(() => ({ planted: { sealUnchecked: false, completionForgets: false } }));

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
  await runPrograms(functionPrograms, { programs: 6 });
});

describe('a planted bug is found, and the program that finds it is made small', () => {
  const bugs: [string, Partial<typeof planted>, PlantedInServices, RegExp][] = [
    ['no If-Match', {}, { withoutConditions: true }, /were acknowledged, and/],
    [
      'a mark that is set before its count',
      {},
      { markBeforeCount: true },
      /bytes were taken that were not counted/,
    ],
    [
      'a seal that is not checked',
      { sealUnchecked: true },
      {},
      /succeeds, and must not|a stranger is answered/,
    ],
    ['a completion that forgets the part that waits', { completionForgets: true }, {}, /./],
  ];

  it.each(bugs)('%s', async (_bug, inFunctions, inServices, message) => {
    Object.assign(planted, { sealUnchecked: false, completionForgets: false }, inFunctions);
    try {
      const t = performance.now();
      const found = await runPrograms(partPrograms, {
        programs: Number(process.env.N ?? 3000),
        seed: Number(process.env.S ?? 1),
        planted: inServices,
      }).catch((error: unknown) => String(error));
      console.log(performance.now() - t, found);
      expect(found).toMatch(message);
    } finally {
      Object.assign(planted, { sealUnchecked: false, completionForgets: false });
    }
  });
});

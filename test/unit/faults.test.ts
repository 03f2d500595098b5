// That the fault matrix can fail: cells of it are tried with a bug planted, which they find, and without.

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import '../faults/small-parts.ts';
import { awaitsOfForward, otherAwaits, watchAwaits } from '../faults/awaits.ts';
import type { Front } from '../faults/front.ts';
import { resourceFront } from '../faults/function-fronts.ts';
import type { FunctionRequest } from '../faults/function-serving.ts';
import { cellOf, faultsOf, serviceBlocks, tokenBlocks } from '../faults/matrix.ts';
import { hostedFront } from '../faults/oci-fronts.ts';
import { uncovered } from '../faults/oci-pushes.ts';
import { openTrials, type Trials } from '../faults/trial.ts';
import { openWorld, type World } from '../faults/world.ts';

const throttle = 'a throttle is a fault of the proxy';
const early = 'what waits is taken out of S3 before ECR has it';
const { planted } = vi.hoisted(() => ({ planted: { bug: '' } }));

vi.mock('../../api/upstream-failures.ts', async (original) => {
  const table = await original<typeof import('../../api/upstream-failures.ts')>();
  const codeOfUpstreamName: typeof table.codeOfUpstreamName = (name) =>
    planted.bug === throttle && name === 'ThrottlingException'
      ? 'InternalFailure'
      : table.codeOfUpstreamName(name);
  return { ...table, codeOfUpstreamName };
});

vi.mock('../../lambda/upload/staging.ts', async (original) => {
  const { s3Staging: stagingOf } = await original<typeof import('../../lambda/upload/staging.ts')>();
  const s3Staging: typeof stagingOf =
    (...options) =>
    (key) => {
      const staging = stagingOf(...options)(key);
      return {
        ...staging,
        get: async (abortSignal) => {
          const slot = await staging.get(abortSignal);
          if (slot && planted.bug === early) {
            await staging.put({ ...slot, waiting: new Uint8Array() }, slot, abortSignal);
          }
          return slot;
        },
      };
    };
  return { s3Staging };
});

const { seen, prepare } = watchAwaits();

let world: World;
let trials: Trials<FunctionRequest>;
beforeAll(async () => {
  world = await openWorld({ prepare });
  trials = await openTrials(world, resourceFront);
});
afterAll(async () => {
  await trials.close();
  await world.close();
});

/** What a cell finds. */
async function failuresOf(
  situationName: string,
  blockTitle: string,
  faultName: string,
): Promise<readonly string[]> {
  const situation = resourceFront.situations.find(({ name }) => name === situationName);
  const block = [...serviceBlocks, ...tokenBlocks].find(({ title }) => title === blockTitle);
  const fault = block && faultsOf(block).find(({ name }) => name === faultName);
  if (!situation || !block || !fault) {
    throw new Error('there is no such cell');
  }
  const usual = await trials.usual(situation, block.mode);
  const { failures, trials: tried } = await cellOf(trials, situation, block, fault, usual);
  expect(tried).toBeGreaterThan(0);
  return failures;
}

describe('a planted bug is found by a cell of the matrix', () => {
  const bugs = [
    [throttle, 'InitiateLayerUpload', 'ECR', 'throttles', 'answered 500 InternalFailure'],
    [
      early,
      '… while a part waits',
      'the instance',
      'dies before the work',
      '4 bytes were acknowledged, and 0',
    ],
  ] as const;

  it.each(bugs)('%s', async (bug, situation, block, fault, message) => {
    expect(await failuresOf(situation, block, fault)).toEqual([]);
    planted.bug = bug;
    try {
      expect(await failuresOf(situation, block, fault)).toContainEqual(expect.stringContaining(message));
    } finally {
      planted.bug = '';
    }
  });
});

it('every route and method of the registry has a column', () => {
  expect(uncovered).toEqual([]);
});

it('a secret that is never answered keeps nobody waiting', async () => {
  const failures = await failuresOf('InitiateLayerUpload', 'Secrets Manager (cold)', 'does not answer');
  expect(failures).toEqual([]);
});

describe('an instance dies at every await of forward', () => {
  const mode = { instance: 'cold', token: 'client' } as const;

  /** The calls of the requests in question: at each of them there is a cell in which the instance dies. */
  async function waitAtAll<Request>(front: Front<Request>): Promise<void> {
    const all = await openTrials(world, front);
    for (const situation of front.situations) {
      await all.usual(situation, mode);
    }
    await all.close();
  }

  it('which waits for a service', async () => {
    seen.clear();
    await waitAtAll(resourceFront);
    await waitAtAll(hostedFront);
    const without = awaitsOfForward().filter(({ place }) => !seen.has(place));
    expect(without.filter(({ line }) => !otherAwaits.some(({ text }) => text.test(line)))).toEqual([]);
    // An exception that is none any more is taken off the list.
    expect(otherAwaits.filter(({ text }) => !without.some(({ line }) => text.test(line)))).toEqual([]);
  });
});

// Runs programs: draws them from a seed, runs each to its end, and says of one that fails how to run it again.

import fc from 'fast-check';
import { vi } from 'vitest';
import type { PlantedInServices } from '../interleavings/services-in-memory.ts';
import { functionCommands } from './function-commands.ts';
import { FunctionProgram } from './function-program.ts';

export type Replay = { readonly seed: number; readonly path: string; readonly replayPath: string };

export type Options = {
  readonly programs: number;
  readonly seed?: number;
  readonly replay?: Replay | undefined;
  readonly planted?: PlantedInServices;
};

/** Of what happened before a failure. */
const maxLines = 60;

/** @throws fast-check's report of the smallest program that fails */
export async function runFunctionPrograms({ programs, seed, replay, planted }: Options): Promise<void> {
  const property = fc.asyncProperty(functionCommands(replay?.replayPath), async (commands) => {
    const program = new FunctionProgram(planted);
    try {
      await fc.asyncModelRun(() => ({ model: {}, real: program }), commands);
      await program.finish();
    } catch (error) {
      throw new Error(program.world.transcript.slice(-maxLines).join('\n'), { cause: error });
    }
  });
  try {
    await fc.assert(property, {
      numRuns: programs,
      ...(seed !== undefined && { seed }),
      ...(replay && { seed: replay.seed, path: replay.path }),
    });
  } finally {
    vi.useRealTimers();
  }
}

// Runs programs: draws them from a seed, runs each to its end, and says of one that fails how to run it again.

import fc from 'fast-check';
import { vi } from 'vitest';
import type { PlantedInServices } from '../interleavings/services-in-memory.ts';
import type { World } from './world.ts';

/** What a failure prints, for the environment variable REPLAY. */
export type Replay = { readonly seed: number; readonly path: string; readonly replayPath: string };

/** What is run: against the functions, or against the registry endpoint. */
export type Program = { readonly world: World; readonly finish: () => Promise<void> };

export type Kind<Real extends Program> = {
  readonly open: (planted: PlantedInServices) => Real;
  readonly commands: (replayPath?: string) => fc.Arbitrary<Iterable<fc.AsyncCommand<object, Real, true>>>;
};

export type Options = {
  readonly programs: number;
  readonly seed?: number | undefined;
  readonly replay?: Replay | undefined;
  readonly planted?: PlantedInServices;
  /** Whether a program that fails is made small, which takes as long as some hundred programs. */
  readonly shrinks?: boolean;
};

/** Of what happened before a failure. */
const maxLines = 60;

function addTo(tally: Map<string, number>, of: ReadonlyMap<string, number>): void {
  for (const [what, times] of of) {
    tally.set(what, (tally.get(what) ?? 0) + times);
  }
}

/**
 * @returns how often what happened
 * @throws the smallest program that fails, what happened in it, and how to run it again
 */
export async function runPrograms<Real extends Program>(
  kind: Kind<Real>,
  { programs, seed, replay, planted = {}, shrinks = true }: Options,
): Promise<ReadonlyMap<string, number>> {
  const tally = new Map<string, number>();
  const property = fc.asyncProperty(kind.commands(replay?.replayPath), async (commands) => {
    const program = kind.open(planted);
    try {
      await fc.asyncModelRun(() => ({ model: {}, real: program }), commands);
      await program.finish();
    } catch (error) {
      throw new Error(program.world.transcript.slice(-maxLines).join('\n'), { cause: error });
    }
    addTo(tally, program.world.tally);
  });
  try {
    const {
      failed,
      seed: drawn,
      counterexamplePath,
      counterexample,
      errorInstance,
    } = await fc.check(property, {
      numRuns: programs,
      endOnFailure: !shrinks,
      ...(seed !== undefined && { seed }),
      ...(replay && { seed: replay.seed, path: replay.path }),
    });
    if (failed) {
      throw reportOf({
        drawn,
        path: counterexamplePath ?? '',
        program: String(counterexample),
        errorInstance,
      });
    }
    return tally;
  } finally {
    vi.useRealTimers();
  }
}

const replayPathPattern = / ?\/\*replayPath="([^"]*)"\*\//;

type Failure = { drawn: number; path: string; program: string; errorInstance: unknown };

function reportOf({ drawn, path, program, errorInstance }: Failure): Error {
  const { cause, message } =
    errorInstance instanceof Error ? errorInstance : new Error(String(errorInstance));
  const [, replayPath = ''] = replayPathPattern.exec(program) ?? [];
  const replay: Replay = { seed: drawn, path, replayPath };
  return new Error(
    [
      cause instanceof Error ? cause.message : String(cause),
      `The program: ${program.replace(replayPathPattern, '')}`,
      `Run it again: REPLAY='${JSON.stringify(replay)}' npm run test:programs`,
      'What happened, by the number of the request:',
      message,
    ].join('\n'),
    { cause },
  );
}

// Programs against the functions as commands of fast-check, which draws them, and makes those that fail small.

import fc from 'fast-check';
import { CommandError } from '../../cli/failure.ts';
import { type Ask, anAsk } from './asks.ts';
import { FunctionProgram } from './function-program.ts';
import type { Kind } from './run.ts';
import { type Plan, plan } from './world.ts';

/** fast-check's own model stays empty: what clients were told depends on the order of events, and is the program's. */
type Command = fc.AsyncCommand<object, FunctionProgram, true>;

const command = (text: string, run: (program: FunctionProgram) => Promise<void> | void): Command => ({
  check: async () => true,
  run: async (_model, program) => run(program),
  toString: () => text,
});

function written({ ask, ...members }: Ask): string {
  return `${ask} ${JSON.stringify(members)}`;
}

function describe(asks: readonly Ask[], { order, faults }: Plan): string {
  const wrong = faults.map(({ step, kind }) => `step ${step} ${kind}`);
  const how = [
    ...(order.some((index) => index > 0) ? [`order ${order.join('')}`] : []),
    ...(wrong.length > 0 ? [wrong.join(', ')] : []),
  ];
  return `{ ${[asks.map(written).join(' | '), ...how].join('; ')} }`;
}

const requests = fc
  .record({
    asks: fc.oneof(
      { weight: 3, arbitrary: fc.tuple(anAsk) },
      { weight: 4, arbitrary: fc.array(anAsk, { minLength: 2, maxLength: 3 }) },
    ),
    plan,
  })
  .map(({ asks, plan: under }) => command(describe(asks, under), (program) => program.send(asks, under)));

const restart = fc.constant(command('restart', ({ world }) => world.restart()));

const pass = fc
  .constantFrom(15, 60, 86_400)
  .map((seconds) => command(`after ${seconds} s`, ({ world }) => world.pass(seconds)));

const rotate = fc.constant(
  command('rotate the sealing key', ({ world }) => {
    try {
      world.rotateKey();
    } catch (error) {
      // The key before is in use.
      if (!(error instanceof CommandError)) {
        throw error;
      }
    }
  }),
);

export const functionPrograms: Kind<FunctionProgram> = {
  open: (planted) => new FunctionProgram(planted),
  commands: (replayPath) =>
    fc.commands<object, FunctionProgram, true>(
      [requests, requests, requests, requests, requests, restart, pass, rotate],
      {
        maxCommands: 14,
        size: 'max',
        ...(replayPath !== undefined && { replayPath }),
      },
    ),
};

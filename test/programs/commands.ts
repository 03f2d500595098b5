// Programs as commands of fast-check, which draws them, and makes those that fail small.

import fc from 'fast-check';
import { CommandError } from '../../cli/failure.ts';
import type { PlantedInServices } from '../interleavings/services-in-memory.ts';
import { type Ask, anAsk, aPartInOrder } from './asks.ts';
import { FunctionProgram } from './function-program.ts';
import type { Kind, Program } from './run.ts';
import { aSessionAsk } from './session-asks.ts';
import { SessionProgram } from './session-program.ts';
import { type Plan, plan } from './world.ts';

/** What takes requests of one form. */
type Receiver<Asked> = Program & { readonly send: (asks: readonly Asked[], under: Plan) => Promise<void> };

/** fast-check's own model stays empty: what clients were told depends on the order of events, and is the program's. */
type Command<Real> = fc.AsyncCommand<object, Real, true>;

const command = <Real>(text: string, run: (program: Real) => Promise<void> | void): Command<Real> => ({
  check: async () => true,
  run: async (_model, program) => run(program),
  toString: () => text,
});

function describe(asks: readonly object[], { order, faults }: Plan): string {
  const wrong = faults.map(({ step, kind }) => `step ${step} ${kind}`);
  const how = [
    ...(order.some((index) => index > 0) ? [`order ${order.join('')}`] : []),
    ...(wrong.length > 0 ? [wrong.join(', ')] : []),
  ];
  return `{ ${[asks.map((ask) => JSON.stringify(ask)).join(' | '), ...how].join('; ')} }`;
}

/** One request, or a few at once. */
const requestsOf = <Asked extends object>(ask: fc.Arbitrary<Asked>): fc.Arbitrary<Command<Receiver<Asked>>> =>
  fc
    .record({
      asks: fc.oneof(
        { weight: 3, arbitrary: fc.tuple(ask) },
        { weight: 4, arbitrary: fc.array(ask, { minLength: 2, maxLength: 3 }) },
      ),
      plan,
    })
    .map(({ asks, plan: under }) => command(describe(asks, under), (program) => program.send(asks, under)));

const restart = fc.constant(command<Program>('restart', ({ world }) => world.restart()));

const pass = fc
  .constantFrom(15, 60, 86_400)
  .map((seconds) => command<Program>(`after ${seconds} s`, ({ world }) => world.pass(seconds)));

const rotate = fc.constant(
  command<Program>('rotate the sealing key', ({ world }) => {
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

const kindOf = <Real extends Program>(
  open: (planted: PlantedInServices) => Real,
  commands: fc.Arbitrary<Command<Real>>[],
): Kind<Real> => ({
  open,
  commands: (replayPath) =>
    fc.commands(commands, {
      maxCommands: 12,
      size: 'max',
      ...(replayPath !== undefined && { replayPath }),
    }),
});

const openFunctions = (planted: PlantedInServices) => new FunctionProgram(planted);
const openSessions = (planted: PlantedInServices) => new SessionProgram(planted);

const requests = requestsOf<Ask>(anAsk);
const partsInOrder = requestsOf<Ask>(aPartInOrder);
const sessions = requestsOf(aSessionAsk);

/** Against the functions, of one upload, and nothing but its parts in order: late writes meet them there. */
export const partPrograms = kindOf(openFunctions, [partsInOrder]);

/** Against the functions. */
export const functionPrograms = kindOf(openFunctions, [
  requests,
  requests,
  requests,
  partsInOrder,
  partsInOrder,
  restart,
  pass,
  rotate,
]);

/** Against the registry endpoint. */
export const sessionPrograms = kindOf(openSessions, [
  sessions,
  sessions,
  sessions,
  sessions,
  restart,
  pass,
  rotate,
]);

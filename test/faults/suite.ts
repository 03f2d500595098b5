// The suite of one front: each block of its table is a test, and the table is what docs/reliability.md keeps of it.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Registry } from '../../api/registries.ts';
import { readSection, writeSection } from '../support/kept-section.ts';
import type { Front, Situation } from './front.ts';
import {
  type Block,
  type Cell,
  cellAtWrongTime,
  cellOf,
  faultsOf,
  notAsked,
  publicBlocks,
  serviceBlocks,
  tokenBlocks,
  triedElsewhere,
  wrongTimes,
} from './matrix.ts';
import { type Row, tableOf } from './table.ts';
import { openTrials, type Trials, type WrongTime } from './trial.ts';
import { openWorld, type World } from './world.ts';

const page = 'docs/reliability.md';

function nameOfTime({ byMs, token }: WrongTime): string {
  const amount =
    Math.abs(byMs) < 60_000 ? `${Math.abs(byMs) / 1_000} seconds` : `${Math.abs(byMs) / 60_000} minutes`;
  const kind = { client: 'a client token', oidc: 'an OIDC token', session: 'a session token' }[token];
  return `${amount} ${byMs < 0 ? 'behind' : 'ahead'}, ${kind}`;
}

/** Of each operation one request: the first of its moments. */
const oneOfEach = <Request>(situations: readonly Situation<Request>[]): readonly Situation<Request>[] =>
  situations.filter(({ of }, index) => situations.findIndex((other) => other.of === of) === index);

/** @param publicFront the same before ECR Public */
export function faultSuite<Request>(front: Front<Request>, publicFront: Front<Request>): void {
  let world: World;
  let trials: Trials<Request>;
  let publicTrials: Trials<Request>;
  const { situations } = front;
  const operations = oneOfEach(situations);
  const written = new Map<string, readonly Row[]>();

  beforeAll(async () => {
    world = await openWorld();
    trials = await openTrials(world, front);
    publicTrials = await openTrials(world, publicFront);
  });
  afterAll(async () => {
    await trials.close();
    await publicTrials.close();
    await world.close();
  });

  async function tryBlock(
    block: Block,
    columns: readonly Situation<Request>[],
    { at = trials, registry }: { at?: Trials<Request>; registry?: Registry } = {},
  ): Promise<void> {
    const names = faultsOf(block, registry);
    const cells = new Map(names.map(({ name }): [string, Cell[]] => [name, []]));
    const tried = new Set<string>();
    for (const situation of columns) {
      const usual = await at.usual(situation, block.mode);
      for (const fault of names) {
        // A token is checked before anything else is looked at.
        const once = tokenBlocks.includes(block) ? fault.name : `${fault.name} ${situation.of}`;
        const isSampled = fault.isHostile && (tokenBlocks.includes(block) || front.isOverAnother);
        const cell =
          isSampled && tried.has(once) ? triedElsewhere : await cellOf(at, situation, block, fault, usual);
        cells.get(fault.name)?.push(cell);
        if (cell.trials > 0) {
          tried.add(once);
        }
      }
    }
    end(block.title, cells);
  }

  async function tryTimes(columns: readonly Situation<Request>[]): Promise<void> {
    const cells = new Map<string, Cell[]>();
    for (const wrongTime of wrongTimes) {
      const row: Cell[] = [];
      for (const situation of columns) {
        if (situation.takesNoSession && wrongTime.token === 'session') {
          row.push(notAsked);
          continue;
        }
        const usual = await trials.usual(situation, { instance: 'cold', token: wrongTime.token });
        row.push(await cellAtWrongTime(trials, situation, wrongTime, usual));
      }
      cells.set(nameOfTime(wrongTime), row);
    }
    end('the clock', cells);
  }

  function end(title: string, cells: ReadonlyMap<string, readonly Cell[]>): void {
    expect([...cells.values()].flat().flatMap(({ failures }) => failures)).toEqual([]);
    written.set(
      title,
      [...cells].map(([name, row]) => ({ name, cells: row.map(({ text }) => text) })),
    );
  }

  describe(`the ${front.name} with every fault`, () => {
    it.each(serviceBlocks)('of $title', (block) => tryBlock(block, situations));
    it.each(tokenBlocks)('of $title', (block) => tryBlock(block, operations));
    it('of the clock', () => tryTimes(operations));
    it.each(publicBlocks)('of $title', (block) =>
      tryBlock(block, publicFront.situations, { at: publicTrials, registry: 'ecr-public' }),
    );

    it('asks ECR Public, and the other services before it, by the calls of ECR', async () => {
      for (const { mode } of publicBlocks) {
        for (const situation of publicFront.situations.filter(({ isRefused }) => !isRefused)) {
          const same = situations.find(({ of, name }) => of === situation.of && name === situation.name);
          const [{ calls }, ofEcr] = [
            await publicTrials.usual(situation, mode),
            same && (await trials.usual(same, mode)),
          ];
          expect({ name: situation.name, calls }).toEqual({ name: situation.name, calls: ofEcr?.calls });
        }
      }
    });

    it('answers as docs/reliability.md says', ({ skip }) => {
      const blocks = [...serviceBlocks, ...tokenBlocks, ...publicBlocks].map(({ title }) => title);
      skip(written.size < blocks.length + 1, 'only a part of the matrix was run, or it has failed');
      const section = { page, name: `faults at the ${front.name}` };
      const isOf = (titles: readonly string[]) => [...written].filter(([title]) => titles.includes(title));
      const text = [
        tableOf(
          '',
          situations.map(({ name }) => name),
          isOf(serviceBlocks.map(({ title }) => title)),
        ),
        tableOf(
          '',
          operations.map(({ of }) => of),
          isOf([...tokenBlocks.map(({ title }) => title), 'the clock']),
        ),
        tableOf(
          '',
          publicFront.situations.map(({ name }) => name),
          isOf(publicBlocks.map(({ title }) => title)),
        ),
      ].join('\n\n');
      if (process.env.WRITE) {
        writeSection(section, text);
      }
      expect(readSection(section), 'written by WRITE=1 npm run test:faults').toBe(text);
    });
  });
}

// The moments of kills: as many as KILLS says (50), drawn from a seed that is printed, which SEED repeats.

import { randomInt } from 'node:crypto';
import { writeSection } from '../support/kept-section.ts';

const { KILLS = '50', SEED = String(randomInt(2 ** 31)), WRITE } = process.env;

export const kills = Number(KILLS);

/** Numbers from 0 to below 1, of mulberry32: the same for the same seed and name. */
export function drawing(name: string): () => number {
  console.info(`${name}: ${kills} kills, SEED=${SEED}`);
  let state = [...`${SEED}/${name}`].reduce(
    (sum, letter) => Math.imul(sum ^ letter.charCodeAt(0), 16_777_619),
    1,
  );
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One of several. */
export function oneOf<T>(draw: () => number, choices: readonly T[]): T {
  const choice = choices[Math.floor(draw() * choices.length)];
  if (choice === undefined) {
    throw new Error('nothing to choose from');
  }
  return choice;
}

/** How long something runs before it is killed: amid its first request, or after several layers. */
export const runningMs = (draw: () => number): number => draw() * oneOf(draw, [1_000, 4_000, 16_000]);

/** What a suite has found, printed; with WRITE it is a section of docs/reliability.md. */
export function report(name: string, counts: Readonly<Record<string, number>>, outcome: string): void {
  const rows = Object.entries(counts).sort(([one], [other]) => one.localeCompare(other));
  const section = [
    `${kills} kills from the seed ${SEED}; ${outcome}`,
    '',
    '| what | times |',
    '|---|---|',
    ...rows.map(([what, times]) => `| ${what} | ${times} |`),
  ].join('\n');
  console.info(section);
  if (WRITE) {
    writeSection({ page: 'docs/reliability.md', name: `kills of ${name}` }, section);
  }
}

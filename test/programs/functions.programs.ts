// Programs against the functions by hand: PROGRAMS=count, SEED=number, REPLAY=what a failure prints, WRITE=1.

import { it } from 'vitest';
import '../support/small-parts.ts';
import { runByHand } from './by-hand.ts';
import { functionPrograms } from './commands.ts';

it('programs against the functions', async () => {
  await runByHand('programs of the functions', functionPrograms);
});

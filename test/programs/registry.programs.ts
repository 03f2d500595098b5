// Programs against the registry endpoint by hand: PROGRAMS=count, SEED=number, REPLAY=what a failure prints, WRITE=1.

import { it } from 'vitest';
import '../support/no-pauses.ts';
import '../support/small-parts.ts';
import { runByHand } from './by-hand.ts';
import { sessionPrograms } from './commands.ts';

it('programs against the registry endpoint', async () => {
  await runByHand('programs of the registry endpoint', sessionPrograms);
});

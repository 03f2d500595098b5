// Quotas: parts of several uploads and clients in every order, with answers that are lost and functions that die at every call.

import fc from 'fast-check';
import { it } from 'vitest';
import { fuzzed } from '../support/fuzzing.ts';
import { raceHolds, races } from '../support/quota-model.ts';

it('no byte goes uncounted, none is counted twice, and what fits is taken', async () => {
  await fc.assert(fc.asyncProperty(races, raceHolds), fuzzed(500));
});

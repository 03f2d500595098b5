// What an OCI client may ask the registry endpoint for, as one request of a program.

import fc from 'fast-check';
import { repositories } from './rights.ts';
import type { BodyForm } from './session-requests.ts';

const form: fc.Arbitrary<BodyForm> = fc.record({
  chunkBytes: fc.integer({ min: 1, max: 12 }),
  brokenAfter: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, fc.nat(24)),
  isSized: fc.boolean(),
});

/** Some of them more often. */
const asks = ['patch', 'patch', 'patch', 'put', 'put', 'get', 'head', 'delete', 'post'] as const;
const bodies = ['rest', 'rest', 'all', 'none'] as const;

export const aSessionAsk = fc.record({
  ask: fc.constantFrom(...asks),
  session: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(2)),
  process: fc.nat(1),
  client: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('a' as const, 'b' as const) },
    fc.constant('c' as const),
  ),
  repositoryName: fc.oneof(
    { weight: 4, arbitrary: fc.constant(repositories[0]) },
    fc.constant(repositories[1]),
  ),
  layer: fc.record({ number: fc.nat(2), length: fc.integer({ min: 1, max: 28 }) }),
  isStranger: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
  bytes: fc.integer({ min: 1, max: 24 }),
  isOlder: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
  isRanged: fc.boolean(),
  body: fc.constantFrom(...bodies),
  form,
});

type Generated<Of> = Of extends fc.Arbitrary<infer Value> ? Value : never;
export type SessionAsk = Generated<typeof aSessionAsk>;

// What a client of the functions may ask for, right and wrong, as one request of a program.

import fc from 'fast-check';
import type { Content } from '../interleavings/content.ts';
import type { Front } from './deployment.ts';
import { clients, repositories } from './rights.ts';

/** Who sends it: the upload's client, another one, its own client for another repository, or one that may push nothing. */
const senders = ['owner', 'stranger', 'elsewhere', 'nobody'] as const;

/**
 * A part from where its client believes the upload to be: the next one; one that was acknowledged; one too early; the
 * one before; too short to be followed; too long; at no part's beginning; of another layer; with a wrong last byte.
 */
const partKinds = [
  'next',
  'again',
  'early',
  'late',
  'short',
  'long',
  'shifted',
  'other',
  'misdeclared',
] as const;

/** Mostly one upload, at which requests meet. */
const upload = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(3));
const sender = fc.oneof(
  { weight: 12, arbitrary: fc.constant('owner' as const) },
  fc.constantFrom(...senders),
);
const front = fc.constantFrom<Front[]>('resource', 'aws');
/** Layers of one number and length are the same. */
const layer = fc.record({
  number: fc.nat(2),
  length: fc.oneof(fc.integer({ min: 9, max: 17 }), fc.integer({ min: 1, max: 17 })),
  content: fc.constantFrom<Content[]>('distinct', 'uniform'),
});

const initiate = fc.record({
  ask: fc.constant('initiate' as const),
  client: fc.constantFrom(...clients),
  repositoryName: fc.constantFrom(...repositories),
  layer,
  front,
});

const part = fc.record({
  ask: fc.constant('part' as const),
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant('next' as const) },
    { weight: 4, arbitrary: fc.constantFrom('again' as const, 'early' as const) },
    { weight: 3, arbitrary: fc.constantFrom(...partKinds) },
  ),
  upload,
  sender,
  front,
});

/** Unless it is too early, a client that has parts left sends the next one instead. */
const complete = fc.record({
  ask: fc.constant('complete' as const),
  tooEarly: fc.oneof({ weight: 7, arbitrary: fc.constant(false) }, fc.constant(true)),
  digests: fc.oneof(
    { weight: 4, arbitrary: fc.constant('own' as const) },
    fc.constantFrom('other' as const, 'both' as const),
  ),
  upload,
  sender,
  front,
});

/** Of the layers that are known to be there; by clients without a quota, as a manifest is large. */
const putImage = fc.record({
  ask: fc.constant('put image' as const),
  client: fc.oneof({ weight: 3, arbitrary: fc.constant('b' as const) }, fc.constant('c' as const)),
  repositoryName: fc.oneof(
    { weight: 3, arbitrary: fc.constant(repositories[0]) },
    fc.constant(repositories[1]),
  ),
  tag: fc.constantFrom('one', 'two', 'end'),
  front,
});

export const anAsk = fc.oneof(
  { weight: 1, arbitrary: initiate },
  { weight: 12, arbitrary: part },
  { weight: 3, arbitrary: complete },
  { weight: 1, arbitrary: putImage },
);

export type Ask = Generated<typeof anAsk>;
/** Of one upload, by a client that sends its parts in order, some of them twice. */
export const aPartInOrder: fc.Arbitrary<Ask> = fc.record({
  ask: fc.constant('part' as const),
  kind: fc.oneof({ weight: 3, arbitrary: fc.constant('next' as const) }, fc.constant('again' as const)),
  upload: fc.constant(0),
  sender: fc.constant('owner' as const),
  front,
});

type Generated<Of> = Of extends fc.Arbitrary<infer Value> ? Value : never;

// The races that are explored: which requests of one upload are under way at once, after what, and what fails.

import { faults } from './scheduler.ts';
import type { Scenario } from './upload-race.ts';

const none = { kinds: [], atMost: 0 };
const one = { kinds: faults, atMost: 1 };

/** Two requests, of a layer of two parts and a half. */
const two = { content: 'distinct', layerBytes: 10, before: [], faults: none, reduced: false } as const;
/** Of three, or with a fault: an answer comes before all else, as it commutes with whatever others do. */
const three = { ...two, layerBytes: 14, reduced: true } as const;

export const scenarios: readonly Scenario[] = [
  { ...two, name: 'a part twice', racing: [[{ part: 0 }], [{ part: 0 }]] },
  {
    ...two,
    name: 'the second of a pair twice',
    before: [{ part: 0 }],
    racing: [[{ part: 1 }], [{ part: 1 }]],
  },
  {
    ...two,
    name: 'the last part twice',
    before: [{ part: 0 }, { part: 1 }],
    racing: [[{ part: 2 }], [{ part: 2 }]],
  },
  {
    ...two,
    name: 'a part and another’s bytes in its place',
    racing: [[{ part: 0 }], [{ part: 0, of: 'other' }]],
  },
  {
    ...two,
    layerBytes: 4,
    name: 'a completion twice',
    before: [{ part: 0 }],
    racing: [[{ complete: 'own' }], [{ complete: 'own' }]],
  },
  {
    ...two,
    layerBytes: 4,
    name: 'a completion and one with another digest',
    before: [{ part: 0 }],
    racing: [[{ complete: 'own' }], [{ complete: 'other' }]],
  },
  {
    ...two,
    name: 'a stranger with the upload’s id',
    before: [{ part: 0 }],
    racing: [[{ part: 1 }], [{ part: 1, from: 'stranger' }]],
  },
  {
    ...two,
    name: 'a part while the sealing key is rotated',
    racing: [[{ part: 0 }, { part: 1 }], [{ rotate: 'the sealing key' }]],
  },
  { ...two, name: 'a part twice, counted', isCounted: true, racing: [[{ part: 0 }], [{ part: 0 }]] },
  { ...three, name: 'a part, counted, and a fault', isCounted: true, racing: [[{ part: 0 }]], faults: one },
  { ...three, name: 'a part twice and a fault', racing: [[{ part: 0 }], [{ part: 0 }]], faults: one },
  {
    ...three,
    name: 'the second of a pair twice and a fault',
    before: [{ part: 0 }],
    racing: [[{ part: 1 }], [{ part: 1 }]],
    faults: one,
  },
  {
    ...three,
    layerBytes: 4,
    name: 'a completion twice and a fault',
    before: [{ part: 0 }],
    racing: [[{ complete: 'own' }], [{ complete: 'own' }]],
    faults: one,
  },
  {
    ...three,
    content: 'uniform',
    name: 'the second of a pair three times, with the part after it, and a fault',
    before: [{ part: 0 }],
    racing: [[{ part: 1 }], [{ part: 1 }], [{ part: 1 }, { part: 2 }]],
    faults: one,
  },
  {
    ...three,
    name: 'the second of a pair twice, counted, and a completion, and a fault',
    layerBytes: 8,
    isCounted: true,
    before: [{ part: 0 }],
    racing: [[{ part: 1 }], [{ part: 1 }, { complete: 'own' }], [{ rotate: 'the sealing key' }]],
    faults: one,
  },
  {
    ...three,
    content: 'uniform',
    name: 'the second of a pair, and again with the part after it',
    before: [{ part: 0 }],
    racing: [[{ part: 1 }], [{ part: 1 }, { part: 2 }]],
  },
  {
    ...two,
    name: 'a part, and the next one before its answer',
    racing: [[{ part: 0 }], [{ part: 1 }]],
  },
  {
    ...two,
    name: 'a part, and the next one before its answer, counted',
    isCounted: true,
    racing: [[{ part: 0 }], [{ part: 1 }]],
  },
  {
    ...three,
    name: 'the last part twice, and a completion, and a fault',
    layerBytes: 10,
    before: [{ part: 0 }, { part: 1 }],
    racing: [[{ part: 2 }], [{ part: 2 }, { complete: 'own' }]],
    faults: one,
  },
  {
    ...three,
    layerBytes: 4,
    name: 'a completion three times, and a fault',
    before: [{ part: 0 }],
    racing: [[{ complete: 'own' }], [{ complete: 'own' }], [{ complete: 'own' }]],
    faults: one,
  },
  {
    ...three,
    layerBytes: 4,
    name: 'a completion, one with another digest, and a fault',
    before: [{ part: 0 }],
    racing: [[{ complete: 'own' }], [{ complete: 'other' }]],
    faults: one,
  },
  {
    ...three,
    name: 'two parts in order, twice, and a rotated key, and a fault',
    layerBytes: 8,
    racing: [[{ part: 0 }, { part: 1 }], [{ part: 0 }, { part: 1 }], [{ rotate: 'the sealing key' }]],
    faults: one,
  },
  {
    ...three,
    name: 'a part twice, counted, and two faults',
    layerBytes: 4,
    isCounted: true,
    racing: [[{ part: 0 }], [{ part: 0 }]],
    faults: { ...one, atMost: 2 },
  },
  {
    ...three,
    content: 'uniform',
    name: 'two requests that each send the second of a pair and the part after it, and two faults',
    before: [{ part: 0 }],
    racing: [
      [{ part: 1 }, { part: 2 }],
      [{ part: 1 }, { part: 2 }],
    ],
    faults: { ...one, atMost: 2 },
  },
  {
    ...two,
    layerBytes: 4,
    name: 'a completion with a layer of another upload’s, and its own completion before and after it',
    otherIsThere: true,
    before: [{ part: 0 }],
    racing: [[{ complete: 'other' }], [{ complete: 'own' }, { complete: 'other' }]],
  },
];

// The races at the registry endpoint: which requests of one blob meet there, after what, and what fails.

import type { BlobScenario } from './blob-race.ts';
import { faults } from './scheduler.ts';

const none = { kinds: [], atMost: 0 };
const one = { kinds: faults, atMost: 1 };

/** ECR takes parts of 5 to 10 bytes here: 12 bytes are sent as two that are there at the end, 16 as one that leaves before. */
const begun = { layerBytes: 18, before: [{ post: 'to begin' }], faults: none } as const;
const halfway = { ...begun, before: [{ post: 'to begin' }, { patch: [0, 10] }] } as const;

export const blobScenarios: readonly BlobScenario[] = [
  {
    ...begun,
    name: 'PATCH of the first bytes twice, and a fault',
    racing: [[{ patch: [0, 8] }], [{ patch: [0, 8] }]],
    faults: one,
  },
  { ...halfway, name: 'PATCH at one offset twice', racing: [[{ patch: [10, 16] }], [{ patch: [10, 16] }]] },
  {
    ...halfway,
    name: 'PATCH at one offset, and with other bytes, and a fault',
    racing: [[{ patch: [10, 16] }], [{ patch: [10, 16], of: 'other' }]],
    faults: one,
  },
  {
    ...halfway,
    name: 'PATCH at one offset, of two parts, and of fewer bytes than a part, and a fault',
    layerBytes: 28,
    racing: [[{ patch: [10, 22] }], [{ patch: [10, 13] }]],
    faults: one,
  },
  {
    ...halfway,
    name: 'PATCH at one offset three times, and a fault',
    racing: [[{ patch: [10, 16] }], [{ patch: [10, 16] }], [{ patch: [10, 16] }]],
    faults: one,
  },
  {
    ...halfway,
    name: 'PATCH of two parts twice in one process, and a fault',
    layerBytes: 28,
    inOneProcess: true,
    racing: [[{ patch: [10, 26] }], [{ patch: [10, 26] }]],
    faults: one,
  },
  {
    ...halfway,
    name: 'PATCH that breaks off, and again while it is still under way, and a fault',
    layerBytes: 28,
    racing: [[{ patch: [10, 26], butFor: 6 }], [{ hangUp: 1 }], [{ patch: [10, 26] }]],
    faults: one,
  },
  {
    ...halfway,
    name: 'PATCH whose client goes away, and again, and a fault',
    racing: [[{ patch: [10, 16] }], [{ hangUp: 1 }], [{ patch: [10, 16] }]],
    faults: one,
  },
  {
    ...halfway,
    name: 'PATCH twice, counted, and a fault',
    isCounted: true,
    racing: [[{ patch: [10, 18] }], [{ patch: [10, 18] }]],
    faults: one,
  },
  {
    ...halfway,
    name: 'PUT of the last bytes twice, and a fault',
    racing: [[{ put: [10, 18] }], [{ put: [10, 18] }]],
    faults: one,
  },
  {
    ...begun,
    name: 'PUT of the whole blob twice, and a fault',
    layerBytes: 8,
    racing: [[{ put: [0, 8] }], [{ put: [0, 8] }]],
    faults: one,
  },
  {
    ...halfway,
    name: 'PUT of the last bytes, and a PATCH of them, and PUT of none, and a fault',
    racing: [[{ put: [10, 18] }], [{ patch: [10, 18] }, { put: [18, 18] }]],
    faults: one,
  },
  {
    ...halfway,
    name: 'PATCH and DELETE, and a fault',
    racing: [[{ patch: [10, 16] }, { put: [16, 18] }], [{ delete: 'the upload' }]],
    faults: one,
  },
  {
    ...halfway,
    name: 'PATCH and GET, and PATCH where that says, and a fault',
    racing: [[{ patch: [10, 16] }], [{ get: 'the upload' }, { patch: [10, 18] }]],
    faults: one,
  },
  {
    ...begun,
    name: 'POST with the whole blob twice, and a fault',
    layerBytes: 8,
    racing: [[{ post: 'with the blob' }], [{ post: 'with the blob' }]],
    faults: one,
  },
  {
    ...halfway,
    name: 'PUT, and a mount and a HEAD of its blob, and a fault',
    racing: [
      [{ put: [10, 18] }, { head: 'the blob' }],
      [{ post: 'to mount' }, { head: 'the blob' }],
    ],
    faults: one,
  },
  {
    ...halfway,
    name: 'a stranger with the Location, and a fault',
    racing: [
      [{ patch: [10, 16] }],
      [{ patch: [10, 16], from: 'stranger' }],
      [{ put: [10, 18], from: 'stranger' }],
      [{ get: 'the upload', from: 'stranger' }],
    ],
    faults: one,
  },
  {
    ...halfway,
    name: 'PATCH, and PUT of the last bytes, twice, and two faults',
    racing: [
      [{ patch: [10, 16] }, { put: [16, 18] }],
      [{ patch: [10, 16] }, { put: [16, 18] }],
    ],
    faults: { ...one, atMost: 2 },
  },
];

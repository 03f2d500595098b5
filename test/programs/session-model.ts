// What an OCI client knows of an upload at the registry endpoint, and what ECR must hold of all of them.

import { digestOf, layerOf } from '../interleavings/content.ts';
import { assert } from '../interleavings/race-run.ts';
import type { ServicesInMemory } from '../interleavings/services-in-memory.ts';
import { ecrIdOf, positionOf } from '../interleavings/upload-location.ts';
import { bytesPerDay, counted } from './deployment.ts';
import { type Client, clients, type Repository } from './rights.ts';

/** No two clients have a layer in common. */
const layersOfEach = 3;

export class Session {
  readonly client: Client;
  readonly repositoryName: Repository;
  readonly layer: Uint8Array;
  readonly digest: string;
  /** The Locations that it was given, the last one last. */
  readonly locations: string[] = [];
  /** How many of its bytes were sent. */
  sent = 0;
  /** It asked for the layer to be made, and may have got it. */
  isAskedFor = false;
  isCompleted = false;

  constructor(
    client: Client,
    repositoryName: Repository,
    { number, length }: { number: number; length: number },
  ) {
    this.client = client;
    this.repositoryName = repositoryName;
    this.layer = layerOf('distinct', length, number + layersOfEach * clients.indexOf(client));
    this.digest = digestOf(this.layer);
  }

  /** Whether bytes are the first of its layer, as far as it was sent. */
  isOf(bytes: Uint8Array): boolean {
    return bytes.length <= this.sent && Buffer.from(bytes).equals(this.layer.subarray(0, bytes.length));
  }
}

/** @throws Violation */
export function checkSessions(sessions: readonly Session[], { ecr, dynamodb }: ServicesInMemory): void {
  const uploads = [...ecr.uploads].map(([id, { bytes }]) => ({ id, bytes }));
  const layers = [...ecr.layers].map(([digest, { bytes, uploadId }]) => ({ id: uploadId, bytes, digest }));
  const all = [...uploads, ...layers];
  for (const { id, bytes } of all) {
    const isSent = bytes.length === 0 || sessions.some((session) => session.isOf(bytes));
    assert(isSent, `the bytes of ${id} are not the first ones of any layer that was sent`);
  }
  for (const { digest, bytes } of layers) {
    assert(digest === digestOf(bytes), 'the bytes of a layer are not what its digest says');
    const isAskedFor = sessions.some((session) => session.digest === digest && session.isAskedFor);
    assert(isAskedFor, 'a layer was made that nobody asked for');
  }
  for (const { locations, digest, isCompleted } of sessions) {
    for (const location of locations.filter((one) => positionOf(one) > 0)) {
      const has = all.find(({ id }) => id === ecrIdOf(location))?.bytes.length ?? 0;
      assert(
        has >= positionOf(location),
        `${positionOf(location)} bytes were acknowledged, and ${has} are there`,
      );
    }
    assert(!isCompleted || ecr.layers.has(digest), 'a layer was acknowledged and is not there');
  }
  const amounts = [...dynamodb.items].flatMap(([id, { amount }]) =>
    id.startsWith('count ') ? [Number(amount)] : [],
  );
  const own = sessions.filter(({ client }) => client === counted);
  const taken = all.filter(({ bytes }) => own.some((session) => session.isOf(bytes)));
  const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
  assert(
    amounts.every((amount) => amount <= bytesPerDay),
    'more was counted than the quota allows',
  );
  assert(
    sum(taken.map(({ bytes }) => bytes.length)) <= sum(amounts),
    'bytes were taken that were not counted',
  );
}

// Requests of one upload at once, then the client that follows the protocol to the end; and what has to hold throughout.

import { errors } from '../../api/errors.ts';
import { parseQuotas } from '../../api/quotas.ts';
import { type SealingKeys, sealsWith } from '../../api/sealing-keys.ts';
import { isSentAgain } from '../../api/send-again.ts';
import { proxyErrorOf } from '../../lambda/proxy-error.ts';
import { seal } from '../../lambda/upload/seal.ts';
import { type Content, digestOf, layerOf, otherThan, partSize, partsIn, positionsOf } from './content.ts';
import { dynamoDbInMemory } from './dynamodb-in-memory.ts';
import { ecrInMemory } from './ecr-in-memory.ts';
import type { Choose } from './explorer.ts';
import { type Instance, openInstance, registryId, type Service } from './function-instance.ts';
import { s3InMemory } from './s3-in-memory.ts';
import { type Fault, openScheduler, type Scheduler, type ServiceCall } from './scheduler.ts';

/** What a client sends; the part by its number. */
export type Request =
  | { readonly part: number; readonly of?: 'other'; readonly from?: 'stranger' }
  | { readonly complete: 'own' | 'other'; readonly from?: 'stranger' }
  | { readonly rotate: 'the sealing key' };

export type Scenario = {
  readonly name: string;
  readonly content: Content;
  readonly layerBytes: number;
  /** Done one after the other before the race, without a fault. */
  readonly before: readonly Request[];
  /** At once: of each list one request after the other, for as long as they succeed. */
  readonly racing: readonly (readonly Request[])[];
  readonly faults: { readonly kinds: readonly Fault[]; readonly atMost: number };
  /** Whether bytes are counted, of a quota that the layer just fits. */
  readonly isCounted?: boolean;
  /** Whether of orders that differ by commuting events one is enough. */
  readonly reduced: boolean;
};

/** Bugs that are planted to see them found. */
export type Planted = {
  readonly withoutConditions?: boolean;
  readonly markBeforeCount?: boolean;
};

const repositoryName = 'team/app';
const uploadId = '00000000-0000-0000-0000-000000000000';
const owner = { type: 'Client', id: 'owner' } as const;
const stranger = { type: 'Client', id: 'stranger' } as const;
const binding = { principal: owner, registry: 'ecr', registryId, repositoryName } as const;

const oldKey = 'o'.repeat(32);
const newKey = 'n'.repeat(32);
const later = new Date(Date.now() + 86_400_000).toISOString();
const rotated: SealingKeys = {
  sealingKey: newKey,
  previousSealingKey: { key: oldKey, sealsUntil: later, opensUntil: later },
};

class Violation extends Error {
  override readonly name = 'Violation';
}

function assert(holds: boolean, what: string): asserts holds {
  if (!holds) {
    throw new Violation(what);
  }
}

/** What the instances reach at this moment: they are made once, the rest for every run anew. */
type World = { scheduler: Scheduler; read: (service: Service, command: unknown) => readonly ServiceCall[] };
let world: World | undefined;
let secret: SealingKeys = { sealingKey: oldKey };

const instances = new Map<number, Instance>();

function instanceOf(actor: number): Instance {
  const found = instances.get(actor);
  if (found) {
    return found;
  }
  const opened = openInstance(
    async (service, command) => {
      let output: unknown;
      for (const call of world?.read(service, command) ?? []) {
        output = await world?.scheduler.call(actor, call);
      }
      return output;
    },
    async () => {
      const read = { touches: [{ key: 'secret', writes: false }], effect: () => {} };
      await world?.scheduler.call(actor, read);
      return { clients: {}, ...secret };
    },
  );
  instances.set(actor, opened);
  return opened;
}

const maxRounds = 16;

/** One run of a scenario. @throws Violation when something does not hold */
export async function race(scenario: Scenario, choose: Choose, planted: Planted = {}): Promise<void> {
  const { layerBytes, content, reduced } = scenario;
  const layer = layerOf(content, layerBytes);
  const other = otherThan(layer);
  const digest = digestOf(layer);
  const quotas = scenario.isCounted
    ? parseQuotas(`[{ name: each, client: "*", bytesPerDay: ${layerBytes} }]`)
    : [];

  secret = { sealingKey: oldKey };
  const sealedId = seal(sealsWith(secret, new Date()), { uploadId, sending: { pairsOf: partSize } }, binding);

  const scheduler = openScheduler(choose, scenario.faults);
  const ecr = ecrInMemory();
  const s3 = s3InMemory({ obeysConditions: !planted.withoutConditions });
  const dynamodb = dynamoDbInMemory({ writesMarkFirst: planted.markBeforeCount ?? false });
  ecr.open(uploadId);
  world = {
    scheduler,
    read: (service, command) =>
      service === 'dynamodb' ? dynamodb.read(command) : [{ ecr, s3 }[service].read(command)],
  };

  /** By other bytes of the client's own, so that the layer cannot be completed any more. */
  const isSpoilt = scenario.racing.flat().some((request) => 'of' in request);
  const acknowledged = new Set<number>();
  let isCompleted = false;
  let isCompletionSent = false;

  const send = async (actor: number, request: Request): Promise<void> => {
    if ('rotate' in request) {
      const effect = () => {
        secret = rotated;
      };
      await scheduler.call(actor, { touches: [{ key: 'secret', writes: true }], effect });
      return;
    }
    const serve = instanceOf(actor);
    const who = request.from === 'stranger' ? stranger : owner;
    const named = { repositoryName, uploadId: sealedId };
    if ('part' in request) {
      const positions = positionsOf(request.part, layerBytes);
      const from = request.of === 'other' ? other : layer;
      const layerPartBlob = from.slice(positions.partFirstByte, positions.partLastByte + 1);
      const members = { ...named, ...positions, layerPartBlob };
      await serve(who, { operation: 'UploadLayerPart', registry: 'ecr', members }, quotas);
      assert(who === owner, 'a stranger has sent a part');
      acknowledged.add(request.part);
      return;
    }
    isCompletionSent ||= request.complete === 'own';
    const layerDigests = [request.complete === 'own' ? digest : digestOf(other)];
    const input = {
      operation: 'CompleteLayerUpload',
      registry: 'ecr',
      members: { ...named, layerDigests },
    } as const;
    const { layerDigest } = await serve(who, input, quotas);
    assert(who === owner, 'a stranger has completed the upload');
    const made = ecr.layers.get(String(layerDigest));
    assert(made?.uploadId === uploadId, 'a completion names a layer that is not the upload’s');
    assert(layerDigests.includes(String(layerDigest)), 'a completion names a layer that was not asked for');
    isCompleted = true;
  };

  const madeLayer = () => [...ecr.layers.values()].find((one) => one.uploadId === uploadId)?.bytes;
  const inEcr = () => madeLayer() ?? ecr.uploads.get(uploadId)?.bytes ?? new Uint8Array();
  const waiting = () => {
    const [slot] = s3.objects.values();
    return slot && Number(slot.metadata['received-bytes']) === inEcr().length
      ? Number(slot.metadata['waiting-bytes'] ?? slot.bytes.length)
      : 0;
  };

  const check = () => {
    const bytes = inEcr();
    bytes.forEach((byte, position) => {
      assert(byte === layer[position] || byte === other[position], `byte ${position} was not sent`);
    });
    const has = bytes.length + (madeLayer() ? 0 : waiting());
    for (const part of acknowledged) {
      const { partLastByte } = positionsOf(part, layerBytes);
      assert(has > partLastByte, `part ${part} was acknowledged and is gone`);
    }
    if (scenario.isCounted) {
      const counted = [...dynamodb.items].flatMap(([id, { amount }]) =>
        id.startsWith('count ') ? [Number(amount)] : [],
      );
      assert(has <= (counted[0] ?? 0), 'bytes were forwarded that were not counted');
    }
  };

  /** Until the layer is complete: from what was acknowledged on, or from where an answer says. */
  const finish = async (actor: number): Promise<void> => {
    let part = 0;
    while (acknowledged.has(part)) {
      part += 1;
    }
    let completesFirst = isCompletionSent;
    for (let round = 0; round < maxRounds && !isCompleted; round++) {
      const completes = completesFirst || part >= partsIn(layerBytes);
      try {
        await send(actor, completes ? { complete: 'own' } : { part });
        part += 1;
      } catch (error) {
        if (error instanceof Violation) {
          throw error;
        }
        const { code, members } = proxyErrorOf(error);
        if (code === 'InvalidLayerPartException') {
          const { lastValidByteReceived } = members;
          part = lastValidByteReceived === undefined ? 0 : Math.ceil((lastValidByteReceived + 1) / partSize);
        } else if (completes && completesFirst) {
          completesFirst = false;
        } else if (!completes && code === 'UploadNotFoundException') {
          completesFirst = true;
        } else if (isSpoilt && code === 'InvalidLayerException') {
          return;
        } else if (code === 'LayerAlreadyExistsException') {
          // What a client takes for done: who made the layer is not known where the note of the completion was lost.
          assert(ecr.layers.has(digest), 'a layer is said to be there that is not');
          return;
        } else {
          assert(isSentAgain(errors[code].sendAgain), `the client cannot go on: ${code}`);
        }
      }
    }
    assert(isCompleted, 'the client does not come to an end');
  };

  let failure: unknown;
  let running = 0;
  const run = (actor: number, requests: readonly Request[]) => {
    running += 1;
    const all = async () => {
      for (const request of requests) {
        await send(actor, request);
      }
    };
    void scheduler
      .start(actor, all)
      .catch((error: unknown) => {
        if (error instanceof Violation) {
          failure = error;
        }
      })
      .finally(() => {
        running -= 1;
      });
  };
  const isOver = () => running === 0 || failure !== undefined;
  const drive = async () => {
    await scheduler.drive(isOver, reduced, check);
    if (failure) {
      throw failure;
    }
  };

  for (const request of scenario.before) {
    run(0, [request]);
    await drive();
  }
  scheduler.allowFaults();
  for (const [n, requests] of scenario.racing.entries()) {
    run(n + 1, requests);
  }
  await drive();
  scheduler.forbidFaults();
  running += 1;
  void scheduler
    .start(0, () => finish(0))
    .catch((error: unknown) => {
      failure = error;
    })
    .finally(() => {
      running -= 1;
    });
  await drive();
}

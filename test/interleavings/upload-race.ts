// Requests of one upload at once, then the client that follows the protocol to the end; and what has to hold throughout.

import { type ErrorCode, errors } from '../../api/errors.ts';
import { parseQuotas, type Quota } from '../../api/quotas.ts';
import { type SealingKeys, sealsWith } from '../../api/sealing-keys.ts';
import { isSentAgain } from '../../api/send-again.ts';
import { proxyErrorOf } from '../../lambda/proxy-error.ts';
import { seal } from '../../lambda/upload/seal.ts';
import type { Staging } from '../../lambda/upload/staging.ts';
import { type Content, digestOf, layerOf, otherThan, partSize, partsIn, positionsOf } from './content.ts';
import type { Choose } from './explorer.ts';
import { type Instance, openInstance, registryId } from './function-instance.ts';
import { toItsEnd } from './protocol-client.ts';
import { assert, runRace, Violation, type Work } from './race-run.ts';
import type { Fault } from './scheduler.ts';
import { type PlantedInServices, type ServicesInMemory, servicesInMemory } from './services-in-memory.ts';

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
  /** Whether ECR has the layer of the other bytes, of another upload. */
  readonly otherIsThere?: boolean;
  /** Whether bytes are counted, of a quota that the layer just fits. */
  readonly isCounted?: boolean;
  /** Whether of orders that differ by commuting events one is enough. */
  readonly reduced: boolean;
};

/** Bugs, and changes, that are planted to see what they do. */
export type Planted = PlantedInServices & { readonly staging?: (staging: Staging) => Staging };

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

/** What the instances reach at this moment: they are made once, the rest for every run anew. */
let services: ServicesInMemory | undefined;
let changed: Planted = {};
let secret: SealingKeys = { sealingKey: oldKey };

const instances = new Map<number, Instance>();

function instanceOf(actor: number): Instance {
  const found = instances.get(actor);
  if (found) {
    return found;
  }
  const opened = openInstance(
    async (service, command) => services?.send(actor, service, command),
    async () => {
      let read = secret;
      const effect = () => {
        read = secret;
        return read;
      };
      await services?.scheduler.call(actor, { name: 'read the secret', writes: false, effect });
      return { clients: {}, ...read };
    },
    (staging) => changed.staging?.(staging) ?? staging,
  );
  instances.set(actor, opened);
  return opened;
}

const quotasOf = new Map<number, readonly Quota[]>();

/** One that a layer of this size just fits. */
function quotaOf(bytes: number): readonly Quota[] {
  const quotas = quotasOf.get(bytes) ?? parseQuotas(`[{ name: each, client: "*", bytesPerDay: ${bytes} }]`);
  quotasOf.set(bytes, quotas);
  return quotas;
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errors, code);

/** One run of a scenario. @throws Violation when something does not hold */
export async function race(scenario: Scenario, choose: Choose, planted: Planted = {}): Promise<void> {
  const { layerBytes, content } = scenario;
  const layer = layerOf(content, layerBytes);
  const other = otherThan(layer);
  const digest = digestOf(layer);
  const quotas = scenario.isCounted ? quotaOf(layerBytes) : [];

  secret = { sealingKey: oldKey };
  const sealedId = seal(sealsWith(secret, new Date()), { uploadId, sending: { pairsOf: partSize } }, binding);
  const inMemory = servicesInMemory(choose, scenario.faults, planted);
  const { scheduler, ecr, s3, dynamodb } = inMemory;
  services = inMemory;
  changed = planted;
  ecr.open(uploadId);
  if (scenario.otherIsThere) {
    ecr.layers.set(digestOf(other), { bytes: other, uploadId: 'another' });
  }

  /** By other bytes of the client's own, so that the layer cannot be completed any more. */
  const isSpoilt = scenario.racing.flat().some((request) => 'of' in request);
  const acknowledged = new Set<number>();
  let isCompleted = false;
  let isCompletionSent = false;

  /** @param place where the client is, as far as that decides what it does after this request */
  const send = async (actor: number, request: Request, place: string): Promise<void> => {
    scheduler.atRequest(actor, place);
    if ('rotate' in request) {
      const effect = () => {
        secret = rotated;
      };
      await scheduler.call(actor, { name: 'rotate', writes: true, effect });
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
    const reply = (request: Request) => async (place: string) => {
      try {
        await send(actor, request, place);
        return {};
      } catch (error) {
        if (error instanceof Violation) {
          throw error;
        }
        const { code, members } = proxyErrorOf(error);
        return { refusal: code, lastValidByteReceived: members.lastValidByteReceived };
      }
    };
    let from = 0;
    while (acknowledged.has(from)) {
      from += 1;
    }
    const end = await toItsEnd({
      parts: partsIn(layerBytes),
      from,
      mayBeComplete: isCompletionSent,
      isSpoilt,
      sendPart: (part, place) => reply({ part })(place),
      complete: reply({ complete: 'own' }),
      awaits: (refusal) => isErrorCode(refusal) && isSentAgain(errors[refusal].sendAgain),
    });
    assert(end !== 'exists' || ecr.layers.has(digest), 'a layer is said to be there that is not');
  };

  const inOrder = (requests: readonly Request[]): Work => ({
    run: async (actor) => {
      for (const [n, request] of requests.entries()) {
        await send(actor, request, `${n}`);
      }
    },
    kind: JSON.stringify(requests),
  });
  await runRace(inMemory, {
    before: scenario.before.map((request) => inOrder([request])),
    racing: scenario.racing.map(inOrder),
    finish: { run: finish },
    answersFirst: scenario.reduced,
    known: () => [[...acknowledged].sort(), isCompleted, isCompletionSent, secret],
    check,
  });
}

// Requests of one blob at once at the registry endpoint, then the client that goes on to its end; and what has to hold.

import { createHash } from 'node:crypto';
import { parseQuotas } from '../../api/quotas.ts';
import { patiently } from '../../lambda/retries.ts';
import { type BlobRequest, blobOf, httpOf } from './blob-requests.ts';
import { type Endpoint, type Exchange, type HttpAnswer, openEndpoint } from './endpoint.ts';
import type { Choose } from './explorer.ts';
import { assert, runRace, Violation, type Work } from './race-run.ts';
import { openAws, openServices, type Reach } from './reach.ts';
import type { Fault } from './scheduler.ts';
import { type PlantedInServices, servicesInMemory } from './services-in-memory.ts';
import { ecrIdOf, positionOf } from './upload-location.ts';

/** The connection of the client with this number breaks. */
type HangUp = { readonly hangUp: number };

export type BlobScenario = {
  readonly name: string;
  readonly layerBytes: number;
  /** Done one after the other before the race, without a fault. */
  readonly before: readonly BlobRequest[];
  /** At once: of each list one request after the other, for as long as they succeed. */
  readonly racing: readonly (readonly (BlobRequest | HangUp)[])[];
  /** Whether all of them meet at one process, and not each at one of its own. */
  readonly inOneProcess?: boolean;
  readonly faults: { readonly kinds: readonly Fault[]; readonly atMost: number };
  /** Whether bytes are counted, of a quota that the layer just fits. */
  readonly isCounted?: boolean;
};

const clients = ['owner', 'stranger'] as const;
const tokenOf = (client: string) => `eup_${client}_local`;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const secret = JSON.stringify({
  clients: Object.fromEntries(clients.map((client) => [client, [{ sha256: sha256(tokenOf(client)) }]])),
  sealingKey: 'k'.repeat(32),
});

const policies = { decide: () => ({ allowed: true, policies: [], errors: [] }) };

/** By the bytes that a client may send; made once, and all runs have them. */
const clientsOfAws = new Map<number, ReturnType<typeof openAws>>();

function awsFor(bytesPerDay: number): ReturnType<typeof openAws> {
  const quotas = parseQuotas(`[{ name: each, client: "*", bytesPerDay: ${bytesPerDay} }]`);
  const aws = clientsOfAws.get(bytesPerDay) ?? openAws(quotas);
  clientsOfAws.set(bytesPerDay, aws);
  return aws;
}

/** Where nothing is counted, it is more than anybody sends. */
const unlimited = 1_000_000;
const maxRounds = 12;

class Gone extends Error {
  override readonly name = 'Gone';
}

/** One run of a scenario. @throws Violation when something does not hold */
export async function blobRace(
  scenario: BlobScenario,
  choose: Choose,
  planted: PlantedInServices = {},
): Promise<void> {
  const { layerBytes, racing, inOneProcess = false, isCounted = false } = scenario;
  const blob = blobOf(layerBytes);
  const { layer, other, digest } = blob;
  const aws = awsFor(isCounted ? layerBytes : unlimited);
  const services = servicesInMemory(choose, { ...scenario.faults, retries: patiently }, planted);
  const { scheduler, ecr, dynamodb } = services;
  const endpoints = new Map<number, Endpoint>();
  const exchanges = new Map<number, Exchange>();
  /** Of each upload of ECR's, the Location that says most. */
  const acknowledged = new Map<string, string>();
  const isSpoilt = racing.flat().some((request) => 'of' in request);
  let isCompleted = false;
  /** Where the requests of the race go on. */
  let location = '';

  function endpointOf(process: number): Endpoint {
    const found = endpoints.get(process) ?? openEndpoint(openServices(aws, policies).services);
    endpoints.set(process, found);
    return found;
  }

  async function answerTo(
    { actor, process }: { actor: number; process: number },
    request: BlobRequest,
    at: string,
  ): Promise<HttpAnswer> {
    const client = 'from' in request && request.from ? request.from : 'owner';
    const http = httpOf(request, at, blob);
    const reach: Reach = {
      send: (service, command) => services.send(actor, service, command),
      fetchSecret: async () => secret,
    };
    const headers = { authorization: `Bearer ${tokenOf(client)}`, ...http.headers };
    const exchange = endpointOf(process).send(reach, { ...http, headers });
    exchanges.set(actor, exchange);
    const answer = await exchange.answer;
    if (answer === 'gone') {
      throw new Gone();
    }
    return answer;
  }

  /** @returns the answer, and where the client goes on */
  async function send(from: { actor: number; process: number }, request: BlobRequest, at: string) {
    const wasThere = ecr.layers.has(digest);
    const answer = await answerTo(from, request, at);
    const { status } = answer;
    const isDone = status < 400;
    if ('head' in request) {
      assert(isDone || !wasThere, 'a layer that is there is not found');
      assert(!isDone || ecr.layers.has(digest), 'a layer is said to be there that is not');
      return { answer, at };
    }
    if ('from' in request) {
      assert(!isDone, 'a stranger is served');
      return { answer, at };
    }
    if (status === 201) {
      isCompleted = true;
      return { answer, at };
    }
    const { location: next = at } = answer.headers;
    const known = acknowledged.get(ecrIdOf(next));
    if (positionOf(next) > positionOf(known ?? '0')) {
      acknowledged.set(ecrIdOf(next), next);
    }
    const end = isDone && 'patch' in request ? request.patch[1] : 0;
    assert(positionOf(next) >= end, 'bytes are acknowledged, and the Location is before their end');
    return { answer, at: next };
  }

  function check(): void {
    const made = [...ecr.layers.values()];
    const all = [...ecr.uploads.values(), ...made];
    for (const { bytes } of all) {
      bytes.forEach((byte, position) => {
        assert(byte === layer[position] || byte === other[position], `byte ${position} was not sent there`);
      });
    }
    for (const [id, place] of acknowledged) {
      const { bytes = new Uint8Array() } =
        made.find(({ uploadId }) => uploadId === id) ?? ecr.uploads.get(id) ?? {};
      const position = positionOf(place);
      assert(bytes.length >= position, `${position} bytes were acknowledged, and ${bytes.length} are there`);
    }
    assert(!isCompleted || ecr.layers.has(digest), 'a layer was acknowledged and is not there');
    const [counted = 0] = [...dynamodb.items].flatMap(([id, { amount }]) =>
      id.startsWith('count ') ? [Number(amount)] : [],
    );
    const taken = all.reduce((sum, { bytes }) => sum + bytes.length, 0);
    assert(taken <= counted, 'bytes were taken that were not counted');
    for (const { faults } of endpoints.values()) {
      assert(faults.length === 0, `the endpoint has a fault: ${faults[0]}`);
    }
  }

  /** The name of a session that has nothing is made at random. */
  const placeOf = (at: string) => (ecrIdOf(at) === '' ? '0' : at);

  const inOrder = (requests: readonly (BlobRequest | HangUp)[], n: number): Work => {
    const process = inOneProcess ? 1 : n + 1;
    return {
      process,
      kind: JSON.stringify(requests),
      run: async (actor) => {
        let at = location;
        for (const [step, request] of requests.entries()) {
          scheduler.atRequest(actor, `${step} ${placeOf(at)}`);
          if ('hangUp' in request) {
            const effect = () => exchanges.get(request.hangUp)?.hangUp();
            await scheduler.call(actor, { name: 'hang up', writes: false, isCertain: true, effect });
            continue;
          }
          const told = await send({ actor, process }, request, at);
          if (told.answer.status >= 400) {
            return;
          }
          at = told.at;
        }
      },
    };
  };

  const prepare = (request: BlobRequest): Work => ({
    run: async (actor) => {
      const { answer, at } = await send({ actor, process: 0 }, request, location);
      assert(answer.status < 400, `before the race: ${answer.refusal}`);
      location = at;
    },
  });

  /** Until its layer is there: it asks how far it is, goes on from there, and begins again where it may. */
  async function finish(actor: number): Promise<void> {
    let [at = location] = [...acknowledged.values()].sort();
    let round = 0;
    const step = async (request: BlobRequest): Promise<HttpAnswer> => {
      scheduler.atRequest(actor, `finish ${round} ${placeOf(at)}`);
      const told = await send({ actor, process: 0 }, request, at);
      at = told.at;
      return told.answer;
    };
    for (; round < maxRounds; round++) {
      const asked = await step({ get: 'the upload' });
      const put = asked.status < 400 ? await step({ put: [positionOf(at), layerBytes] }) : asked;
      if (put.status < 400) {
        return;
      }
      if (put.refusal !== 'InvalidLayerPartException') {
        const isForgotten = put.refusal === 'UploadNotFoundException' && ecr.layers.has(digest);
        assert(isSpoilt || isForgotten, `the client cannot go on: ${put.refusal}`);
        await step({ post: 'to begin' });
      }
    }
    throw new Violation('the client does not come to an end');
  }

  try {
    await runRace(services, {
      before: scenario.before.map(prepare),
      racing: racing.map(inOrder),
      finish: { run: finish },
      answersFirst: true,
      known: () => [[...acknowledged].sort(), isCompleted],
      check,
    });
  } finally {
    for (const endpoint of endpoints.values()) {
      endpoint.cut();
    }
  }
}
